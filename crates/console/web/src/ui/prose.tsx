// Sentences of the server, which put names and commands between backticks.

import { Fragment } from 'react';

/** A sentence; what stands between backticks is shown as code. */
export function Prose({ text }: { text: string }) {
  const parts = text.split('`');
  // An odd backtick is none.
  if (parts.length % 2 === 0) return <>{text}</>;
  return (
    <>
      {parts.map((part, index) => (
        <Fragment key={index}>{index % 2 === 1 ? <code className="code">{part}</code> : part}</Fragment>
      ))}
    </>
  );
}
