"""Small lessons to learn from."""

from homoplasy.datasets.pocket import captions, latents, pictures
from homoplasy.training import language, loop, vision

VIT = {"img_size": 48, "depth": 2, "drop_path_rate": 0.5}
NEOX = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 128,
}


def drawn(count):
    """Pictures and glyphs."""
    found = latents.draw(1, "training", count)
    return pictures.render(found), pictures.levels(found.semantic)


def told(count):
    """The captions of as many pictures."""
    file = captions.of_training(drawn(count)[1])
    texts = [one["caption"] for one in file["annotations"]]
    return [texts[start : start + 2] for start in range(0, len(texts), 2)]


def naming(count=100, architecture="test_vit", options=None, seed=4):
    """Glyphs in pictures, for a transformer with stochastic depth, whose steps draw random numbers."""
    shown = vision.glyphs(*drawn(count), 4, "digest")
    options = VIT if options is None else options
    return vision.Naming(vision.configuration(architecture, options, shown, seed), shown)


def continuing(count=60, seed=4):
    """Captions."""
    texts = told(count)
    return language.Continuing(language.configuration("gpt_neox", NEOX, texts, seed), texts)


def plan(**changed):
    usual = {
        "steps": 6,
        "checkpoints": 4,
        "batch_size": 8,
        "learning_rate": 1e-3,
        "weight_decay": 0.05,
        "optimiser": "adamw",
        "schedule": "cosine",
        "warm_up": 0.2,
        "ema_decay": 0.9,
        "judged": 20,
        "seed": 4,
    }
    return loop.Plan(**usual | changed)


def run(plan, lesson, until=None):
    """A run carried to one of its steps."""
    training = loop.Training(plan, lesson)
    while training.step < (plan.steps if until is None else until):
        training.advance()
    return training
