"""A step that runs a plugin: as a job, like every other run of it, with its tables as a product."""

from terrafusion_lib.core.declared import plugin_of
from terrafusion_lib.jobs.execute import StepOutput, run_job
from terrafusion_lib.pipelines.bring_facts import marks_of
from terrafusion_lib.pipelines.specialize_results import specialize_results
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.results.products import StepRecord


def run_plugin(step: Step) -> StepRecord:
    """Run the step's plugin on the operational store; its results keep the run's id.

    The tables go to the operational database and, as they are there, to the step's product and,
    where the plugin declares facts, to the analytics database.

    Raises
    ------
    PluginError
        The plugin failed; its job says why.
    AccessDeniedError
        The person may not run it in the county.
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
