"""Classes of the workspace: what they inherit, what their members are, what their constructors leave behind.

Methods are found by class hierarchy, nearest first; what no workspace class has is its library base's, by path.
Deliberately absent: metaclasses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from .. import ir
from ..catalogue import Models, TypeModel
from . import declared, expressions, fields, statements, syntax
from .frame import Frame, Record
from .names import ModuleState, Names, Namespace, canonical, concrete, plain_type
from .scopes import ClassInfo, FunctionInfo
from .taints import join_taints
from .values import (
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    ClassRef,
    FunctionRef,
    Instance,
    ModuleRef,
    Shape,
    Value,
    freeze,
    thaw,
)

if TYPE_CHECKING:
    pass

CONSTRUCTORS: Final = ("__init__", "constructor")
_PROPERTY: Final = ("property", "cached_property", "reify", "hybrid_property")
STATIC: Final = ("staticmethod",)


if TYPE_CHECKING:
    from .engine import Engine


def made_by(models: Models, path: str) -> str | None:
    """What a library's call gives an instance of, or None."""
    for entry in models.calls.get(path, ()):
        if isinstance(entry, TypeModel) and not entry.when and not entry.unless:
            return entry.returns
    last = path.rpartition(".")[2]
    return path if last[:1].isupper() and not last.isupper() else None


class Outline(NamedTuple):
    """A class's own methods, its annotated attributes in order, and all names that its body binds."""

    methods: dict[str, FunctionRef]
    fields: tuple[str, ...]
    names: frozenset[str]


class Classes(Names):
    """Classes and their members."""

    # --- Classes ----------------------------------------------------------------------------------

    def _class(self, cls: ClassRef) -> ClassInfo | None:
        source = self.load(cls.path)
        return source.classes.get(cls.name) if source is not None else None

    def _outlined(self, cls: ClassRef) -> Outline | None:
        return self._noted(("class", cls))  # type: ignore[no-any-return]

    def _outline(self, cls: ClassRef) -> Outline | None:
        """What others see of a class itself."""
        info = self._class(cls)
        if info is None:
            return None
        fields: list[str] = []
        for statement in info.definition.body:
            if isinstance(statement, ir.Assign) and statement.annotation is not None:
                fields += [target.id for target in statement.targets if isinstance(target, ir.Name)]
        return Outline(info.methods, tuple(dict.fromkeys(fields)), self._class_names(info))

    def lineage(self, cls: ClassRef) -> tuple[tuple[ClassRef, Outline], ...]:
        """A class and the workspace classes that it inherits from, nearest first, each with its outline."""
        return self._noted(("lineage", cls)) or ()

    def _lineage(self, cls: ClassRef) -> tuple[tuple[ClassRef, Outline], ...]:
        owners = [owner for owner in (cls, *self.bases(cls)) if isinstance(owner, ClassRef)]
        return tuple([(owner, outline) for owner in owners if (outline := self._outlined(owner)) is not None])

    def bases(self, cls: ClassRef) -> tuple[ClassRef | str, ...]:
        """What a class inherits from, nearest first, itself not included: workspace classes and library paths."""
        return self._noted(("bases", cls)) or ()

    def _bases(self, cls: ClassRef) -> tuple[ClassRef | str, ...]:
        found: list[ClassRef | str] = []
        info, source = self._class(cls), self.load(cls.path)
        if info is not None and source is not None:
            frame = Frame(cast("Engine", self), source, info.unit, Record())
            for argument in info.definition.bases:
                if argument.name is not None:
                    continue
                node = argument.value
                while isinstance(node, (ir.Call, ir.Subscript)):
                    node = node.callee if isinstance(node, ir.Call) else node.value
                value = declared.plain_path(frame, node)
                if value is None:
                    continue
                if isinstance(value.target, ClassRef):
                    found += [value.target, *(base for base in self.bases(value.target) if base not in found)]
                elif value.path is not None:
                    found.append(canonical(source.models, value.path))
        return tuple(dict.fromkeys(found))

    def library_base(self, target: Any, member: str = "") -> str | None:
        """The library class that a workspace class (or an instance of one) is, by inheritance; of several, that with `member`."""
        cls = target.cls if isinstance(target, Instance) else target
        if not isinstance(cls, ClassRef):
            return None
        paths = [base for base in self.bases(cls) if isinstance(base, str)]
        source = self.load(cls.path)
        if member and len(paths) > 1 and source is not None:
            models = source.models
            for path in paths:
                if f"{path}.{member}" in models.attributes or f"{path}.{member}" in models.calls:
                    return path
        known = source.models.known_modules if source is not None else frozenset()
        return next((path for path in paths if path.partition(".")[0] in known), paths[0] if paths else None)

    def member(self, frame: Frame, target: Any, name: str, value: Value) -> Value | None:
        """`value.name` where value is something of the workspace; None when the workspace does not say."""
        if isinstance(target, ModuleRef):
            found = self.exported(frame, target.path, name)
            if found is not None:
                return found
            for whole_name in ("*", "default"):
                whole = self.exported(frame, target.path, whole_name)
                if whole is not None and isinstance(whole.target, (Instance, ClassRef)):
                    return self.member(frame, whole.target, name, whole)
            below = self._resolved(target.path, name, 1)
            return Value(target=ModuleRef(below), name=name) if below is not None else None
        if isinstance(target, Namespace):
            dotted = f"{target.name}.{name}"
            file = self._resolved(target.importer, dotted, 0)
            if file is not None:
                return Value(target=ModuleRef(file), name=name)
            return Value(target=Namespace(target.importer, dotted), name=name)
        if isinstance(target, Instance):
            return self._class_member(frame, target.cls, name, value, True)
        if isinstance(target, ClassRef):
            return self._class_member(frame, target, name, value, False)
        return None

    def _class_member(self, frame: Frame, cls: ClassRef, name: str, value: Value, instance: bool) -> Value | None:
        for owner, outline in self.lineage(cls):
            method = outline.methods.get(name)
            if method is not None:
                function = self.function(frame, method)
                decorators = [] if function is None else [syntax.last_name(d) for d in function.function.decorators]
                if instance and any(decorator in _PROPERTY for decorator in decorators):
                    from .arguments import Arguments
                    from .invocation import invoke

                    got = Value(target=Bound(method, value), name=name)
                    return invoke(frame, ir.Node(0, 0), got, [], None, Arguments([], {}))
                if instance or "classmethod" in decorators:
                    return Value(target=Bound(method, value), name=name)
                return Value(target=method, name=name)
            attribute = self._noted(("attribute", owner, name)) if name in outline.names else None
            if attribute is not None:
                if (
                    attribute.path is None
                    and attribute.target is None
                    and not attribute.taints
                    and attribute.shape is None
                ):
                    break  # a plain default, which instances mostly replace: the constructor may say more
                if instance and attribute.shape is not None and value.taints:
                    clears = fields.cleared(frame, attribute, attribute.shape)
                    held = tuple([taint.part(name).clear(clears) for taint in value.taints])
                    return self._loaded(frame, value, name, attribute.tainted(join_taints(attribute.taints, held)))
                found = thaw(attribute, frame.heap)
                if not instance or not value.taints or attribute.path is None or not plain_type(attribute.path):
                    return found
                # `name: str` says what kind of text an instance holds, and nothing of where it comes from
                cleared = self.cleared_by_type(frame, attribute.path)
                held = tuple([taint.part(name).clear(cleared) for taint in value.taints])
                return found.tainted(join_taints(found.taints, held))
        if not instance:
            return (
                thaw(attribute, frame.heap)
                if (attribute := self._noted(("attribute", cls, name))) is not None
                else None
            )
        field = self.field(frame, cls, name) or self._noted(("made", cls, name))
        if field is None:
            return None
        taints = join_taints(field.taints, tuple([taint.part(name) for taint in value.taints]))
        return self._loaded(frame, value, name, Value(taints, UNKNOWN, field.path, field.target, 0, field.shape, name))

    def _loaded(self, frame: Frame, value: Value, name: str, field: Value) -> Value:
        """A field of a caller's object, in the frame: what is put into it now is found there later."""
        found = thaw(field, frame.heap)
        shape = frame.heap.get(value.ref) if value.ref and found.ref else None
        if shape is not None and shape.kind == "parameter":
            frame.heap[value.ref] = Shape(shape.kind, {**shape.items, name: found}, shape.rest, shape.closed)
            frame.root.loaded[found.ref] = frame.heap[found.ref]
        return found

    def _made(self, cls: ClassRef, name: str) -> Value | None:
        """What kind of thing methods assign to an attribute that the constructor does not set, by what they call."""
        for owner in (cls, *self.bases(cls)):
            info = self._class(owner) if isinstance(owner, ClassRef) else None
            source = self.load(owner.path) if isinstance(owner, ClassRef) else None
            if info is None or source is None:
                continue
            for ref in info.methods.values():
                function = source.functions[ref.name].function
                makers = self.makers.get(function)
                if makers is None:
                    makers = self.makers[function] = syntax.makers(function)
                callee = makers.get(name)
                if callee is None:
                    continue
                frame = Frame(cast("Engine", self), source, ref.name, Record())
                made = declared.plain_path(frame, callee)
                if made is not None and isinstance(made.target, ClassRef):
                    return Value(target=Instance(made.target), name=name)
                if made is not None and made.path is not None and (path := made_by(source.models, made.path)):
                    return Value(path=path, name=name)
        return None

    def methods(self, cls: ClassRef) -> list[FunctionRef]:
        """All methods of a class, inherited ones included; of one name, the nearest."""
        return list(self.named_methods(cls).values())

    def named_methods(self, cls: ClassRef) -> dict[str, FunctionRef]:
        """The same, by name."""
        found: dict[str, FunctionRef] = {}
        for _, outline in self.lineage(cls):
            for name, ref in outline.methods.items():
                found.setdefault(name, ref)
        return found

    def _attribute(self, cls: ClassRef, name: str) -> Value | None:
        """A class attribute's frozen value."""
        info = self._class(cls)
        if info is None or name not in self._class_names(info):
            return None
        state: ModuleState = self._asked(("module", cls.path))
        return state.attributes.get(cls.name, {}).get(name)

    def _class_names(self, info: ClassInfo) -> frozenset[str]:
        known = self._bound.get(info.definition)
        if known is None:
            known = self._bound[info.definition] = syntax.bound_names(info.definition.body)
        return known

    def field(self, frame: Frame, cls: ClassRef, name: str) -> Value | None:
        """What the constructor leaves in an attribute, as far as it does not depend on who constructs."""
        constructor = self.constructor(frame, cls)
        if constructor is None:
            return None
        summary = self.summary(frame, constructor)
        for effect in summary.effects if summary is not None else ():
            if effect.place == 0 and effect.key == name:
                value = effect.value
                return concrete(value, name)
        return None

    def constructor(self, frame: Frame, cls: ClassRef) -> FunctionRef | None:
        """The function that makes an instance, own or inherited."""
        for _, outline in self.lineage(cls):
            for name in CONSTRUCTORS:
                if name in outline.methods:
                    return outline.methods[name]
        return None

    def fields_in_order(self, frame: Frame, cls: ClassRef) -> list[str]:
        """The annotated attributes of a class without a constructor: a record's fields, as its arguments fill them."""
        names: list[str] = []
        for _, outline in reversed(self.lineage(cls)):
            names += [name for name in outline.fields if name not in names]
        return names

    def static(self, info: FunctionInfo) -> bool:
        """Whether a method takes no receiver."""
        return info.owner is not None and any(syntax.last_name(d) in STATIC for d in info.function.decorators)

    def super_of(self, frame: Frame, cls: ClassRef, arguments: Any) -> Value:
        """`super()` in a method of `cls`: the next class, with the method's own receiver."""
        receiver = UNKNOWN_VALUE
        if frame.function is not None and frame.function.parameters:
            receiver = frame.variables.get(frame.function.parameters[0].name, UNKNOWN_VALUE)
        nearest = next(iter(self.bases(cls)), None)
        if isinstance(nearest, ClassRef):
            return Value(receiver.taints, UNKNOWN, None, Instance(nearest), receiver.ref, None, "super")
        return Value(receiver.taints, UNKNOWN, nearest, None, receiver.ref, None, "super")

    def define_class(self, frame: Frame, definition: ir.Class) -> Value:
        """Run a class body; keep what it binds as the class's attributes."""
        name = f"{frame.self_class.name}.{definition.name}" if frame.self_class is not None else definition.name
        known = frame.source.classes.get(name)
        ours = known is not None and known.definition is definition
        child = Frame(cast("Engine", self), frame.source, frame.unit, frame.record, frame)
        child.depth = frame.depth
        child.self_class = ClassRef(frame.source.path, name) if ours else None
        for decorator in definition.decorators:
            expressions.evaluate(frame, decorator)
        statements.run(child, definition.body)
        frame.heap = child.heap
        frame.nested += child.nested
        if not ours:
            return Value(name=definition.name)
        if frame.root.exports is not None:
            attributes = {key: freeze(value, child.heap) for key, value in child.variables.items()}
            frame.record.handlers.append((name, attributes))
        return Value(target=ClassRef(frame.source.path, name), name=definition.name)
