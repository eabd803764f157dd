import { METRIC_ATTRIBUTE } from '@convotel/conventions';
import type { Attributes } from '@opentelemetry/api';
import { redactFamiliarText } from '../redaction/patterns.ts';

/** What is counted about one step of one workflow, with the attributes made once. */
export interface StepSeries {
  workflow: WorkflowSeries;
  attributes: Attributes;
  activeSteps: number;
}

/** What is counted about one workflow, with the attributes made once. */
export interface WorkflowSeries {
  attributes: Attributes;
  activeConversations: number;
  steps: Map<string, StepSeries>;
}

/** The metrics SDK keeps as many attribute sets per instrument by default. */
const MAX_SERIES = 2000;

/** Plain integers per workflow and step, read only when metrics are collected. Names beyond a bound share none. */
export class SeriesTable {
  readonly #workflows = new Map<string | undefined, WorkflowSeries>();
  #size = 0;

  /** Undefined when there are too many already. */
  workflow(name: string | undefined): WorkflowSeries | undefined {
    const known = this.#workflows.get(name);
    if (known !== undefined) return known;
    if (this.#isFull()) return undefined;
    const attributes: Attributes = name === undefined ? {} : { [METRIC_ATTRIBUTE.workflow]: redactFamiliarText(name) };
    const series: WorkflowSeries = { attributes, activeConversations: 0, steps: new Map() };
    this.#workflows.set(name, series);
    return series;
  }

  /** Undefined when there are too many already. */
  step(workflow: WorkflowSeries, name: string): StepSeries | undefined {
    const known = workflow.steps.get(name);
    if (known !== undefined) return known;
    if (this.#isFull()) return undefined;
    const attributes: Attributes = { ...workflow.attributes, [METRIC_ATTRIBUTE.step]: name };
    const series: StepSeries = { workflow, attributes, activeSteps: 0 };
    workflow.steps.set(name, series);
    return series;
  }

  workflows(): Iterable<WorkflowSeries> {
    return this.#workflows.values();
  }

  #isFull(): boolean {
    this.#size += 1;
    return this.#size > MAX_SERIES;
  }
}
