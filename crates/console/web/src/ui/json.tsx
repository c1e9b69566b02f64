// A JSON text, laid out and coloured; numbers and texts as they were written.

import { useMemo, useState } from 'react';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { layOut, pretty } from '../json';
import { Button } from './button';

/** A JSON text; a text that is not JSON is shown as it is. */
export function JsonView({ text, label }: { text: string; label: string }) {
  const t = useTexts(words);
  const pieces = useMemo(() => layOut(text), [text]);
  const [copied, setCopied] = useState(false);
  const copy = () => {
    navigator.clipboard?.writeText(pretty(text)).then(
      () => {
        setCopied(true);
        setTimeout(() => setCopied(false), 2_000);
      },
      () => setCopied(false),
    );
  };
  return (
    <div className="json">
      {typeof navigator !== 'undefined' && navigator.clipboard && (
        <Button small look="quiet" icon={copied ? 'check' : 'copy'} className="json-copy" onClick={copy}>
          {copied ? t.copied : t.copy}
        </Button>
      )}
      <pre role="region" tabIndex={0} aria-label={label}>
        <code>
          {pieces.map((piece, index) =>
            piece.kind === 'space' || piece.kind === 'mark' ? piece.text : (
              <span key={index} className={`json-${piece.kind}`}>{piece.text}</span>
            ))}
        </code>
      </pre>
    </div>
  );
}
