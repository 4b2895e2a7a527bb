"""`python -m benchmarks.plots`: pictures, page and tables of documents from the stored results."""

from benchmarks.plots.page import publish

if __name__ == "__main__":
    for path in publish():
        print(path)
