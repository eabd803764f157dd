import { stepLook } from './step-look.ts';

/** Names beside the colours of steps, in step order. */
export function StepLegend({ steps }: { steps: readonly string[] }) {
  return (
    <ul class="legend">
      {steps.map((step) => (
        <li key={step}>
          <i class={`swatch ${stepLook(step)}`} />
          {step}
        </li>
      ))}
    </ul>
  );
}
