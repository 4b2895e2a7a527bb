"""`python -m benchmarks.plots`: pictures and page from the stored results of benchmarks.against_peers."""

from benchmarks.plots.page import publish

if __name__ == "__main__":
    for path in publish():
        print(path)
