"""Checks of the axes that annotations name: `Float[Tensor, "b d"]` is checked in every call of a test.

An import hook decorates the functions and data classes of packages that handle tensors. Arguments and result are
checked in one pass, and functions whose annotations name no axes are left alone, so that networks train in tests at
about the speed that they have for users. (The hook of jaxtyping checks arguments three times.)
"""

import ast
import inspect
import sys
import types
from functools import wraps
from importlib.machinery import PathFinder, SourceFileLoader

import beartype
import jaxtyping
from jaxtyping import AbstractArray, jaxtyped

NAME = "__axes_are_checked__"


def install_hook(packages):
    """Check what is imported of these packages from now on."""
    sys.meta_path.insert(0, _Finder(packages))


def checked(fn):
    """Decorate a function or data class whose annotations name axes."""
    if inspect.isclass(fn):
        if "__dataclass_fields__" in vars(fn):
            fn.__init__ = checked(fn.__init__)
        return fn
    hints = _hints(fn)
    arrays = [array for hint in hints.values() for array in _arrays(hint)]
    if not arrays:
        return fn
    plain = types.FunctionType(fn.__code__, fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__)
    plain.__kwdefaults__, plain.__annotations__, plain.__qualname__ = fn.__kwdefaults__, hints, fn.__qualname__
    plain.__module__ = fn.__module__
    strict = beartype.beartype(plain)
    if any("{" in array.dim_str for array in arrays):  # an axis as long as an argument says
        strict = jaxtyped(strict, typechecker=None)

    @wraps(fn)
    def check(*args, **kwargs):
        if jaxtyping.config.jaxtyping_disable:
            return fn(*args, **kwargs)
        with jaxtyped("context"):
            return strict(*args, **kwargs)

    return check


def _hints(fn):
    """Name → annotation, without those of names that are only imported for type checkers."""
    hints = {}
    for name, hint in fn.__annotations__.items():
        try:
            hints[name] = eval(hint, fn.__globals__) if isinstance(hint, str) else hint
        except NameError:
            continue
    return hints


def _arrays(hint):
    if inspect.isclass(hint) and issubclass(hint, AbstractArray):
        return [hint]
    return [array for part in getattr(hint, "__args__", ()) for array in _arrays(part)]


class _Finder:
    def __init__(self, packages):
        self._packages = tuple(packages)

    def find_spec(self, name, path=None, target=None):
        if not any(name == package or name.startswith(f"{package}.") for package in self._packages):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    def get_code(self, fullname):
        """Compile the decorated source; bytecode on disk is that of the plain one."""
        return self.source_to_code(self.get_data(self.path), self.path)

    def source_to_code(self, data, path, *, _optimize=-1):
        tree = ast.parse(data, path)
        _decorate(tree)
        return compile(tree, path, "exec", dont_inherit=True, optimize=_optimize)

    def exec_module(self, module):
        vars(module)[NAME] = checked
        super().exec_module(module)


def _decorate(scope):
    """Decorate functions and classes of a module or class; functions within functions have no axes of their own."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.FunctionDef):  # innermost, where annotations are
            node.decorator_list.append(ast.copy_location(ast.Name(NAME, ast.Load()), node))
        elif isinstance(node, ast.ClassDef):  # outermost, after `dataclass`
            node.decorator_list.insert(0, ast.copy_location(ast.Name(NAME, ast.Load()), node))
            _decorate(node)
        elif isinstance(node, ast.If | ast.Try):
            _decorate(node)
