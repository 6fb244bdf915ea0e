"""A step that runs a plugin as a job, like any other run, with its tables as product."""

from terrafusion_lib.core.declared import plugin_of
from terrafusion_lib.jobs.execute import StepOutput, run_job
from terrafusion_lib.pipelines.bring_facts import marks_of
from terrafusion_lib.pipelines.specialize_results import specialize_results
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.results.products import StepRecord


def run_plugin(step: Step) -> StepRecord:
    """Run the step's plugin on the operational database; its results have the run's id.

    The tables go to the operational database, to the step's product in the same form, and, if the
    plugin declares facts, to the analytics database.

    Raises
    ------
    PluginError
        The plugin failed; its job records the reason.
    AccessDeniedError
        The user may not run it in the county.
    """
    plugin = plugin_of(step.name)
    job = run_job(
        plugin,
        step.county.county_id,
        settings=step.settings,
        output=StepOutput(step.out, step.folder, step.fingerprint),
        progress=step.progress,
        clock=step.clock,
        year=step.year,
        seed=step.seed,
        run_id=step.run_id,
    )
    loads = specialize_results(step, plugin, job.result.tables)
    rows = {name: {"rows": table.num_rows} for name, table in job.result.tables.items()}
    return step.finish(rows, job.result.summary, marks_of(loads))
