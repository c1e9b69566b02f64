// The three views of a mapping: lines, list, text; with what narrows the first two.

import { type KeyboardEvent, useId, useState } from 'react';
import { useTexts } from '../i18n';
import { Badge, Button, Field } from '../ui';
import { Canvas } from './canvas';
import type { Draft } from './draft';
import { ListView } from './list-view';
import type { Sides, Which } from './side';
import { TextView } from './text-view';
import { mappingWords } from './words';

/** A view of the mapping. */
export type View = 'lines' | 'list' | 'text';

const VIEWS: readonly View[] = ['lines', 'list', 'text'];
const WHICH: readonly Which[] = ['all', 'filled', 'empty', 'missing'];

/** The views behind tabs. */
export function Editor({ shown, onShow, flow, draft, sides, canEdit, chosen, line, n_mistakes, sourcePaths, listId, onChoose, onEdit, onDrop, onRemove, say }: {
  shown: View;
  onShow: (view: View) => void;
  flow: string;
  draft: Draft;
  sides: Sides;
  canEdit: boolean;
  chosen: string | undefined;
  /** A line of the text to go to. */
  line: number | undefined;
  n_mistakes: number;
  sourcePaths: ReadonlySet<string>;
  listId: string;
  onChoose: (path: string) => void;
  /** Chooses a field and goes to its rule. */
  onEdit: (path: string) => void;
  onDrop: (source: string, target: string) => void;
  onRemove: (target: string) => void;
  say: (text: string) => void;
}) {
  const t = useTexts(mappingWords);
  const id = useId();
  const names: Record<View, string> = { lines: t.lines, list: t.list, text: t.text };
  const mistakes = draft.isStale ? [] : draft.view.mistakes;
  const move = (event: KeyboardEvent, view: View) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = VIEWS[(VIEWS.indexOf(view) + step + VIEWS.length) % VIEWS.length] ?? view;
    event.preventDefault();
    onShow(next);
    document.getElementById(`${id}-tab-${next}`)?.focus();
  };
  return (
    <section className="map-editor" aria-label={t.views}>
      <div className="tabs" role="tablist" aria-label={t.views}>
        {VIEWS.map((view) => (
          <button
            key={view}
            type="button"
            role="tab"
            id={`${id}-tab-${view}`}
            aria-selected={shown === view}
            aria-controls={`${id}-panel`}
            tabIndex={shown === view ? 0 : -1}
            onClick={() => onShow(view)}
            onKeyDown={(event) => move(event, view)}
          >
            {names[view]}
            {view === 'text' && n_mistakes > 0 && <Badge tone="bad">{n_mistakes}</Badge>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-tab-${shown}`} className="map-view">
        {shown !== 'text' && <Filters sides={sides} both={shown === 'lines'} />}
        {shown === 'lines' && (
          <>
            {canEdit && <p className="map-keys muted">{t.keys}</p>}
            <Canvas
              sides={sides}
              canEdit={canEdit}
              chosen={chosen}
              badLines={new Set(mistakes.map((mistake) => mistake.line))}
              onChoose={onChoose}
              onDrop={onDrop}
              onRemove={onRemove}
              say={say}
            />
          </>
        )}
        {shown === 'list' && (
          <ListView
            sides={sides}
            canEdit={canEdit}
            chosen={chosen}
            sourcePaths={sourcePaths}
            listId={listId}
            onEdit={onEdit}
            onDrop={onDrop}
            onRemove={onRemove}
          />
        )}
        {shown !== 'text' && canEdit && sides.addField && <AddField add={sides.addField} onChoose={onChoose} />}
        {shown === 'text' && (
          <TextView
            text={draft.text}
            file={draft.view.mistakes[0]?.file ?? `flows/${flow}.toml`}
            mistakes={mistakes}
            canEdit={canEdit}
            line={line}
            onType={draft.type}
          />
        )}
      </div>
    </section>
  );
}

/** What narrows the sides. */
function Filters({ sides, both }: { sides: Sides; both: boolean }) {
  const t = useTexts(mappingWords);
  const { source, target, which, setWhich } = sides;
  const whichWords: Record<Which, string> = { all: t.showAll, filled: t.showFilled, empty: t.showEmpty, missing: t.showMissing };
  return (
    <div className={both ? 'map-filters' : 'map-filters map-filters-one'}>
      {both && (
        <div>
          <Field label={t.filterSource} hint={t.nFields(source.n_shown, source.n_fields)}>
            {(control) => (
              <input {...control} type="search" placeholder={t.filterHint} value={source.filter} onChange={(event) => source.setFilter(event.target.value)} />
            )}
          </Field>
        </div>
      )}
      <div className="map-filter-target">
        <Field label={t.filterTarget} hint={t.nFields(target.n_shown, target.n_fields)}>
          {(control) => (
            <input {...control} type="search" placeholder={t.filterHint} value={target.filter} onChange={(event) => target.setFilter(event.target.value)} />
          )}
        </Field>
        <select className="input" aria-label={t.showWhich} value={which} onChange={(event) => setWhich(event.target.value as Which)}>
          {WHICH.map((one) => <option key={one} value={one}>{whichWords[one]}</option>)}
        </select>
      </div>
    </div>
  );
}

/** Names a further field, where the target takes any. */
function AddField({ add, onChoose }: { add: (path: string) => void; onChoose: (path: string) => void }) {
  const t = useTexts(mappingWords);
  const [path, setPath] = useState('');
  const name = path.trim();
  return (
    <form
      className="map-add"
      onSubmit={(event) => {
        event.preventDefault();
        if (name === '') return;
        add(name);
        onChoose(name);
        setPath('');
      }}
    >
      <input
        className="input mono"
        aria-label={t.addField}
        placeholder={t.addFieldHint}
        autoComplete="off"
        spellCheck={false}
        value={path}
        onChange={(event) => setPath(event.target.value)}
      />
      <Button type="submit" icon="plus" disabled={name === ''}>{t.addField}</Button>
    </form>
  );
}
