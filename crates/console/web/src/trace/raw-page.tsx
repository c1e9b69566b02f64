// A page as the vendor sent it, fetched when it is asked for.

import { useState } from 'react';
import { createPortal } from 'react-dom';
import { api } from '../api/client';
import { bytes } from '../format';
import { useTexts } from '../i18n';
import { useLoad } from '../load';
import { Button, Dialog, Show } from '../ui';
import { cutOut } from './cut';
import { traceWords } from './words';

/** More is shown only on request: a browser lays it out for a while. */
const MOST = 200_000;

/** Opens the text of a page. */
export function RawPageButton({ flow, page, find }: { flow: string; page: number; find?: string | undefined }) {
  const t = useTexts(traceWords);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button small look="quiet" icon="letter" onClick={() => setOpen(true)}>{t.rawPage(page)}</Button>
      {isOpen && createPortal(<RawPageDialog flow={flow} page={page} find={find} onClose={() => setOpen(false)} />, document.body)}
    </>
  );
}

function RawPageDialog({ flow, page, find, onClose }: {
  flow: string; page: number; find: string | undefined; onClose: () => void;
}) {
  const t = useTexts(traceWords);
  const loaded = useLoad(`page/${flow}/${page}`, (signal) => api.rawPage(flow, page, signal));
  const [isAll, setAll] = useState(false);
  return (
    <Dialog title={t.rawTitle(flow, page)} wide onClose={onClose}>
      <div className="dialog-body">
        <Show loaded={loaded}>
          {(raw) => {
            const { parts, n_shown } = cutOut(raw.body, find, isAll ? raw.body.length : MOST);
            return (
              <>
                <p className="muted">{t.rawLead(raw.records)}</p>
                <pre className="raw-page" tabIndex={0} role="region" aria-label={t.rawTitle(flow, page)}>
                  {parts.map((part, idx) => (part.isHit ? <mark key={idx}>{part.text}</mark> : part.text))}
                </pre>
                {n_shown < raw.body.length && (
                  <p>
                    {t.rawCut(bytes(n_shown), bytes(raw.body.length))} <Button small onClick={() => setAll(true)}>{t.rawAll}</Button>
                  </p>
                )}
              </>
            );
          }}
        </Show>
      </div>
    </Dialog>
  );
}
