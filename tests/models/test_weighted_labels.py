"""Labels of text with weights, in every classifier: as the same labels in numbers."""

import numpy as np
import pytest

from polytask.models import formulations
from polytask.models.boosted_trees import BoostedTreesClassifier

MODELS = [f.classifier for f in formulations().values() if f.classifier and f.name != "auto"]


@pytest.mark.parametrize(
    "Model", [*MODELS, BoostedTreesClassifier], ids=lambda model: model.__name__
)
def test_labels_of_text_have_weights(Model):
    """isnan of "yes" is a TypeError: three classifiers took no weights then."""
    rng = np.random.default_rng(2)
    code, X, weight = np.repeat(np.arange(3), 16), rng.normal(size=(48, 2)), rng.uniform(1, 2, 48)
    positive = X @ [1, -1] + 2 * rng.normal(size=48) > 0
    Z, options = np.column_stack([code, X]), {"task": 0}
    if Model().get_params().get("alpha") == "cv":
        options["alpha"] = 0.1
    text = Model(**options).fit(Z, np.where(positive, "yes", "no"), sample_weight=weight)
    number = Model(**options).fit(Z, positive.astype(int), sample_weight=weight)
    assert text.classes_.tolist() == ["no", "yes"]
    np.testing.assert_allclose(text.predict_proba(Z), number.predict_proba(Z))
