"""Iterate one epoch over a built dataset and print what a batch looks like.

Usage: python docs/examples/first_batch.py demo
"""

import sys

from torch.utils.data import DataLoader

import eodata


def main(store: str) -> None:
    """Load the train split with two workers, once through."""
    dataset = eodata.open_dataset(store, split="train", modalities=["s1", "s2", "cloud"])
    loader = DataLoader(
        dataset, batch_size=4, shuffle=True, num_workers=2, multiprocessing_context="forkserver"
    )
    n_samples = 0
    for batch in loader:
        n_samples += len(batch["id"])
        for name in dataset.modalities:
            clear = batch["valid"][name].float().mean()
            print(f"{name:6} {tuple(batch[name].shape)} {batch[name].dtype} valid {clear:.0%}")
    print(f"one epoch: {n_samples} samples of {len(dataset)}")


if __name__ == "__main__":
    main(sys.argv[1])
