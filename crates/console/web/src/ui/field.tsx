// Fields of forms: a label, what to know about it, and what is wrong with it.

import { type ReactNode, useId } from 'react';

/** A field; `children` gets what the control needs. */
export function Field({ label, hint, error, children }: {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  children: (control: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': true | undefined }) => ReactNode;
}) {
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-describedby': hint || error ? hintId : undefined,
        'aria-invalid': error ? true : undefined,
      })}
      {(hint || error) && (
        <p id={hintId} className={error ? 'field-error' : 'field-hint'}>{error ?? hint}</p>
      )}
    </div>
  );
}
