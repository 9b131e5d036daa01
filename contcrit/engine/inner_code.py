"""How functions are compiled that compiled code alone calls.

The compiler optimises each function together with all that it calls, and makes machine code of it,
before it does the same with its callers; and it compiles it anew for callers with other options.
For functions that are called from compiled code only, all of this is wasted: here they wait for the
outermost one, which is optimised as a whole, once.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

KNOWN = (0, 60), (0, 68)
"""First and last release of numba whose inner parts are known to be as expected here."""


class Pipelines(NamedTuple):
    """Options of the compiler for the three kinds of functions.

    Parameters
    ----------
    outer : dict
        Of those that Python calls.
    inner : dict
        Of those that compiled code calls.
    inline : dict
        The same for those that are to be copied into their callers.
    """

    outer: dict[str, Any]
    inner: dict[str, Any]
    inline: dict[str, Any]


@cache
def pipelines() -> Pipelines:
    """Return the options for the compiler that is installed.

    They build on its inner parts: where those are not known, every function is compiled by itself,
    which takes longer and gives the same.
    """
    import numba

    if KNOWN[0] <= numba.version_info.short <= KNOWN[1]:
        return _pipelines()
    return Pipelines({}, {"forceinline": False}, {"forceinline": True})


def _pipelines() -> Pipelines:
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler import CompilerBase, DefaultPassBuilder
    from numba.core.compiler_machinery import FunctionPass, register_pass
    from numba.core.targetconfig import ConfigStack
    from numba.core.typed_passes import NoPythonSupportedFeatureValidation
    from numba.core.untyped_passes import TranslateByteCode

    class Detached:
        """A code generator whose engine need not know of the function."""

        def __init__(self, codegen: Any) -> None:
            self.base = codegen

        def __getattr__(self, name: str) -> Any:
            return getattr(self.base, name)

        def set_env(self, name: str, environment: Any) -> None:
            """Do nothing: there is no machine code that would ask for it."""

    class InnerLibrary(JITCodeLibrary):
        """Code to be linked into that of callers; it does not run by itself."""

        inline = False

        @property
        def codegen(self) -> Any:
            return Detached(self._codegen)

        def add_ir_module(self, module: Any) -> None:
            if self.inline:
                for function in module.functions:
                    if not function.is_declaration:
                        function.attributes.discard("noinline")
                        function.attributes.add("alwaysinline")
            super().add_ir_module(module)

        def _optimize_final_module(self) -> None:
            return

        def _finalize_final_module(self) -> None:
            self._finalize_dynamic_globals()
            self._finalized = True

        def get_pointer_to_function(self, name: str) -> int:
            return 0

    @register_pass(mutates_CFG=False, analysis_only=True)
    class Keep(FunctionPass):
        """Give the function a library of the kind above."""

        _name = "contcrit_keep"

        def __init__(self) -> None:
            FunctionPass.__init__(self)

        def run_pass(self, state: Any) -> bool:
            library = InnerLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
            library.inline = state.pipeline.inline
            library.enable_object_caching()
            state.library = library
            return False

    @register_pass(mutates_CFG=False, analysis_only=True)
    class CallAlike(FunctionPass):
        """Let the function call as inner ones do, so that both share what they call."""

        _name = "contcrit_call_alike"

        def __init__(self) -> None:
            FunctionPass.__init__(self)

        def run_pass(self, state: Any) -> bool:
            options = ConfigStack.top_or_none()
            options.no_cpython_wrapper = True
            options.release_gil = False
            return False

    class Inner(CompilerBase):
        inline = False

        def define_pipelines(self) -> list[Any]:
            manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
            manager.add_pass_after(Keep, NoPythonSupportedFeatureValidation)
            manager.finalize()
            return [manager]

    class Inline(Inner):
        inline = True

    class Outer(CompilerBase):
        def define_pipelines(self) -> list[Any]:
            manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
            manager.add_pass_after(CallAlike, TranslateByteCode)
            manager.finalize()
            return [manager]

    return Pipelines(
        *({"pipeline_class": kind, "no_cfunc_wrapper": True} for kind in (Outer, Inner, Inline))
    )
