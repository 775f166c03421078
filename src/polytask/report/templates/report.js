"use strict";
// Sort, search and fold the tables. Without this script they are whole and readable.
(() => {
  const missing = "–";

  const words = (cell) => cell.textContent.trim();
  const number = (text) => {
    const plain = text.replaceAll("−", "-").replace(/[,+%\s]/g, "");
    return plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : null;
  };
  const order = new Intl.Collator("en", { numeric: true });

  // A cell's rank: numbers as numbers, intervals by their lower end, times in seconds.
  const rank = (cell, kind) => {
    const text = words(cell);
    if (text === missing || text === "") return null;
    if (kind === "interval") return number(text.split(/\sto\s/)[0]);
    if (kind !== "number") return text;
    const time = text.match(/^(?:(\d+) min )?([\d.]+) s$/);
    return time ? 60 * Number(time[1] || 0) + Number(time[2]) : number(text);
  };
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null); // unknown comes last
    return sign * (typeof a === "string" ? order.compare(a, b) : a - b);
  };

  const enhance = (table) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const name = table.id.replace(/-table$/, "");
    const tools = document.querySelector(`.tools[data-for="${name}"]`);
    const rest = document.getElementById(`${name}-rest`);
    const ends = Number(table.dataset.window || 0);
    let rows = [...body.rows];
    let waiting = rest ? rest.content.childElementCount : 0;
    let folded = ends > 0;

    const fetchRest = () => {
      if (!waiting) return;
      const middle = [...rest.content.children];
      rows.splice(rows.length / 2, 0, ...middle);
      waiting = 0;
    };
    const gap = (count) => {
      const row = document.createElement("tr");
      const cell = row.insertCell();
      const button = document.createElement("button");
      row.className = "gap";
      cell.colSpan = heads.length;
      button.type = "button";
      button.textContent = `Show all ${(rows.length + waiting).toLocaleString("en")} rows`;
      button.addEventListener("click", () => { folded = false; fetchRest(); show(); });
      const line = cell.appendChild(document.createElement("div")); // stays in view when scrolled
      line.append(`${count.toLocaleString("en")} more in between. `, button);
      return row;
    };
    const show = () => {
      const query = tools ? tools.querySelector("input").value.trim().toLowerCase() : "";
      const label = tools ? tools.querySelector("select").value : "";
      if (query || label) fetchRest();
      const found = rows.filter((row) => words(row.cells[0]).toLowerCase().includes(query)
        && (!label || words(row.cells[1]) === label));
      const cut = folded && !query && !label && found.length + waiting > 3 * ends;
      for (const row of rows) row.hidden = true;
      found.forEach((row, i) => { row.hidden = cut && i >= ends && i < found.length - ends; });
      body.replaceChildren(...rows);
      if (cut) found[ends - 1].after(gap(found.length + waiting - 2 * ends));
      if (tools) {
        tools.querySelector("output").textContent = query || label
          ? `${found.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")}` : "";
      }
    };
    const sort = (column, direction) => {
      fetchRest();
      const kind = heads[column].dataset.kind;
      const sign = direction === "ascending" ? 1 : -1;
      const keyed = rows.map((row) => [rank(row.cells[column], kind), row]);
      rows = keyed.sort((a, b) => compare(a[0], b[0], sign)).map((pair) => pair[1]);
      heads.forEach((head) => head.removeAttribute("aria-sort"));
      heads[column].setAttribute("aria-sort", direction);
      show();
    };

    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.dataset.kind === "number" ? "descending" : "ascending";
        const other = first === "descending" ? "ascending" : "descending";
        sort(column, head.getAttribute("aria-sort") === first ? other : first);
      });
    });
    if (tools) {
      tools.hidden = false;
      tools.addEventListener("input", show);
      tools.addEventListener("submit", (event) => event.preventDefault());
    }
    show();
    return { sort, find: (text) => { tools.querySelector("input").value = text; show(); } };
  };

  const tables = {};
  for (const table of document.querySelectorAll("main table")) {
    tables[table.id.replace(/-table$/, "")] = enhance(table);
  }
  // report.html#sort:tasks:3:ascending and report.html#find:tasks:NAME are links to a view
  const [verb, name, ...words_] = decodeURIComponent(location.hash.slice(1)).split(":");
  if (verb === "sort" && tables[name]) tables[name].sort(Number(words_[0]), words_[1]);
  if (verb === "find" && tables[name]) tables[name].find(words_.join(":"));
  if (verb === "sort" || verb === "find") document.getElementById(name)?.scrollIntoView();
})();
