"""What the site has beyond the Markdown of the checkout: its contents, and the reference."""

import importlib
import inspect
import os
import re
from pathlib import Path

INDEX = "docs/index"
#: pages that list others
LISTS = (INDEX, "docs/decisions/README")
FOLDER = Path("docs/reference")
#: public module -> what its page begins with; its own docstring when None
MODULES = {
    "kbackend": "Names of the package itself.",
    "kbackend.backend": "The classic backend of Keras: ``from kbackend import K``.",
    "kbackend.ops": "The names of NumPy and of Keras 3.",
    "kbackend.layers": "Layers.",
    "kbackend.models": "Models, and functions that make them from others.",
    "kbackend.losses": "Losses.",
    "kbackend.metrics": "Metrics.",
    "kbackend.optimizers": "Optimizers and schedules.",
    "kbackend.callbacks": "Callbacks of ``fit``.",
    "kbackend.activations": "Activations.",
    "kbackend.initializers": "Initial values of weights.",
    "kbackend.regularizers": "Penalties on weights.",
    "kbackend.constraints": "Constraints on weights.",
    "kbackend.random": "Draws by the names of Keras 3.",
    "kbackend.saving": "Files.",
    "kbackend.utils": "Tools of Keras's names.",
    "kbackend.mixed_precision": "16-bit computation.",
    "kbackend.distribution": None,
    "kbackend.preprocessing.sequence": None,
    "kbackend.preprocessing.text": None,
    "kbackend.preprocessing.image": None,
    "kbackend.datasets.boston_housing": None,
    "kbackend.datasets.cifar10": None,
    "kbackend.datasets.cifar100": None,
    "kbackend.datasets.digits": None,
    "kbackend.datasets.fashion_mnist": None,
    "kbackend.datasets.imdb": None,
    "kbackend.datasets.mnist": None,
    "kbackend.datasets.reuters": None,
    "kbackend.applications": None,
    "kbackend.wrappers.scikit_learn": None,
    "kbackend.compat": None,
    "kbackend.testing": "The conformance kit.",
}
#: base classes, and classes whose methods are all they are for
_WITH_METHODS = {
    "Callback", "Constraint", "ImageDataGenerator", "Initializer", "Iterator", "Loss", "Metric", "Optimizer",
    "Regularizer", "Tokenizer",
}  # fmt: skip


def public(module):
    """The public functions and classes of a module, by name."""
    names = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    found = {name: getattr(module, name) for name in names}
    return {n: f for n, f in found.items() if callable(f) and not inspect.ismodule(f) and _is_ours(f)}


def _is_ours(value):
    module = getattr(value, "__module__", None) or ""
    return module.startswith("kbackend") and module != "kbackend.ground.suggest"


def write_reference(app):
    """A page for each public module. What several names mean is described once, see :func:`homes_of`."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    modules = {name: public(importlib.import_module(name)) for name in MODULES}
    homes = homes_of(modules)
    for name, text in MODULES.items():
        _write(folder / f"{name}.rst", _page(name, text, modules[name], homes))
    listed = "".join(f"   {name}\n" for name in MODULES)
    _write(folder / "index.rst", f"{_title('Reference')}.. toctree::\n   :maxdepth: 1\n\n{listed}")


def _title(text):
    return f"{text}\n{'=' * len(text)}\n\n"


def homes_of(modules):
    """Where each object is described: under its own name before others, and in K only what no other module has."""
    places = [(name, n, f) for name, found in modules.items() for n, f in found.items()]
    places.sort(key=lambda p: (p[0] in ("kbackend", "kbackend.backend"), p[1] != getattr(p[2], "__name__", "")))
    homes = {}
    for name, n, f in places:
        homes.setdefault(id(f), (name, n))
    return homes


def _write(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:  # an unchanged page is not built again
        path.write_text(text, encoding="utf-8")


def _page(name, text, found, homes):
    own, shared = [], []
    for n, f in sorted(found.items()):
        module, other = homes[id(f)]
        if (module, other) == (name, n):
            kind = "autoclass" if inspect.isclass(f) else "autofunction"
            members = "\n   :members:\n   :inherited-members: object" if inspect.isclass(f) and _own_members(f) else ""
            own.append(f".. {kind}:: {name}.{n}{members}\n")
        else:
            summary = inspect.getdoc(f).partition("\n\n")[0].replace("\n", " ")
            shared.append((f":py:obj:`{n} <{module}.{other}>`", summary))
    beginning = f".. automodule:: {name}" if text is None else f"{text}\n\n.. currentmodule:: {name}"
    parts = [f"{_title(name)}{beginning}", ""]
    parts += own
    if shared:
        rows = "".join(f"   * - {link}\n     - {summary}\n" for link, summary in shared)
        parts += [f".. list-table:: Other names, and names of other modules\n   :widths: 30 70\n\n{rows}"]
    return "\n".join(parts)


def _own_members(kind):
    """Whether the methods of a class are listed: those of layers, losses and so on are those of their base class."""
    return kind.__module__.startswith(("kbackend.model.", "kbackend.layers.base", "kbackend.wrappers.")) or (
        kind.__name__ in _WITH_METHODS
    )


def add_contents(app, docname, source):
    """The sections of a list of pages as tables of contents, in the order of their links."""
    if docname not in LISTS:
        return
    trees = []
    for section in re.split(r"^## ", source[0], flags=re.M)[1:] or [source[0]]:
        title = section.partition("\n")[0].removeprefix("# ")
        links = dict.fromkeys(re.findall(r"\]\(([^)#:]+\.md)\)", section))
        trees.append((title, [_from_top(docname, link) for link in links]))
    if docname == INDEX:
        trees.append(("Reference", ["/docs/reference/index"]))
    source[0] += "".join(
        f"\n\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(pages) + "\n```" for title, pages in trees
    )


def _from_top(docname, link):
    return "/" + os.path.normpath(Path(docname).parent / link).removesuffix(".md")
