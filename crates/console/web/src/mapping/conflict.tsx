// What to do when somebody else has saved meanwhile.

import { api } from '../api/client';
import type { MappingView } from '../api/types';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { useLoad } from '../load';
import { Button, Dialog, Show } from '../ui';
import { around, diffLines } from './textdiff';
import { mappingWords } from './words';

/** Shows both texts where they differ, and asks which is to stay. */
export function ConflictDialog({ flow, mine, onClose, onSettle }: {
  flow: string;
  mine: string;
  onClose: () => void;
  onSettle: (theirs: MappingView, keepsMine: boolean) => void;
}) {
  const t = useTexts(mappingWords);
  const w = useTexts(words);
  const loaded = useLoad(`conflict/${flow}`, (signal) => api.mapping(flow, signal));
  return (
    <Dialog title={t.conflictTitle} wide onClose={onClose}>
      <div className="dialog-body">
        <p>{t.conflictBody}</p>
        <Show loaded={loaded}>
          {(theirs) =>
            theirs.text === mine ? <p>{t.conflictSame}</p> : (
              <pre className="map-diff" tabIndex={0} role="region" aria-label={t.conflictTitle}>
                {around(diffLines(theirs.text, mine)).map((line, idx) =>
                  line === undefined ? <span key={idx} className="muted">⋯{'\n'}</span> : (
                    <span key={idx} className={{ both: undefined, old: 'mark-removed', new: 'mark-added' }[line.side]}>
                      {{ both: '', old: t.conflictTheirs, new: t.conflictMine }[line.side].padEnd(8, ' ')}{line.text}{'\n'}
                    </span>
                  ))}
              </pre>
            )}
        </Show>
        <p className="muted">{t.keepMineHelp}</p>
      </div>
      <footer className="dialog-foot">
        <Button onClick={onClose}>{w.cancel}</Button>
        <Button look="danger" disabled={!loaded.data} onClick={() => loaded.data && onSettle(loaded.data, false)}>{t.takeTheirs}</Button>
        <Button look="primary" disabled={!loaded.data} onClick={() => loaded.data && onSettle(loaded.data, true)}>{t.keepMine}</Button>
      </footer>
    </Dialog>
  );
}
