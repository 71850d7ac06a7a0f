"""An import hook that decorates functions and data classes of packages that handle tensors: see `axes_checks`.

It imports nothing: the process that only hands out tests to others starts at once.
"""

import ast
import sys
from importlib.machinery import PathFinder, SourceFileLoader

NAME = "__axes_are_checked__"


def install_hook(packages):
    """Check what is imported of these packages from now on."""
    sys.meta_path.insert(0, _Finder(packages))


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
        from axes_checks import checked

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
