"""`PackTests`: a pack's whole test file in three lines, under pytest."""

import inspect
from pathlib import Path
from typing import Any, ClassVar

import pytest

from .conformance import Job, check_names, pack_jobs
from .kit import LEVELS, Level
from .packs import golden_files, installed_pack
from .report import Expected

_OWN = ("pack", "level")


class PackTests:
    """All checks of a pack, one test for each check of each thing that it offers::

        class TestPack(PackTests):
            pack = "channelome-tm1991"

    Golden data are the JSON files beside the test file. What fails for a good reason is declared in the manifest, with
    the reason, as ``[[expected_failures]]``; a subclass may add tests of its own, but not take any of these away.

    Attributes:
        pack: name of the installed distribution.
        level: ``"default"`` or ``"full"``.
    """

    pack: ClassVar[str]
    level: ClassVar[Level] = "default"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        ours = {
            name: value for name, value in vars(PackTests).items() if not name.startswith("__") and name not in _OWN
        }
        changed = [name for name, value in ours.items() if inspect.getattr_static(cls, name) is not value]
        for name in [*changed, *({"__test__", "pytestmark"} & set(vars(cls)))]:
            raise TypeError(
                f"{cls.__name__} overrides {name} of PackTests. Declare what must fail, with its reason, in the pack's "
                f"manifest: [[expected_failures]] check = '...', name = '...', reason = '...'."
            )
        if LEVELS.index(cls.level) < LEVELS.index("default"):
            raise TypeError(f"{cls.__name__}: level is 'default' or 'full', not '{cls.level}'.")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One case for each check and thing, from the manifest alone."""
        if "job" in metafunc.fixturenames:
            for mark in metafunc.definition.iter_markers():
                if mark.name in ("skip", "skipif", "xfail"):
                    raise TypeError(f"{type(self).__name__} may not be marked {mark.name}: declare expected failures.")
            pack = installed_pack(self.pack, check_names())
            golden = golden_files(Path(inspect.getfile(type(self))).parent)
            jobs = pack_jobs(pack, self.level, tuple(golden))
            metafunc.parametrize("job", [_case(job, pack.expected) for job in jobs])

    def test_it_conforms(self, job: Job) -> None:
        """One check of one thing."""
        finding = job.run()
        if finding.status == "skipped":
            pytest.skip(finding.message)
        assert finding.ok, str(finding)


def _case(job: Job, expected: list[Expected]) -> Any:
    reasons = [one.reason for one in expected if (one.check, one.name) == (job.check.name, job.name)]
    marks = [pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError) for reason in reasons]
    return pytest.param(job, id=f"{job.name}-{job.check.name.replace(' ', '_')}", marks=marks)
