// Dialogs, on the browser's own element: it keeps the focus inside, closes with Escape, and gives the focus back.

import { type FormEvent, type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import { useTexts } from '../i18n';
import { words } from '../i18n/shared';
import { Button, IconButton } from './button';

/** A dialog, as long as it is rendered. */
export function Dialog({ title, onClose, children, wide = false }: {
  title: string; onClose: () => void; children: ReactNode; wide?: boolean;
}) {
  const t = useTexts(words);
  const id = useId();
  const ref = useRef<HTMLDialogElement>(null);
  // Before the browser draws, and before the dialog is taken away: the focus goes back to what had it.
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      className={wide ? 'dialog dialog-wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div className="dialog-box">
        <header className="dialog-head">
          <h2 id={id}>{title}</h2>
          <IconButton label={t.close} icon="cross" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** A dialog that asks for something, or whether. */
export function AskDialog({ title, onClose, onSubmit, submit, dismiss, danger = false, isBusy, children }: {
  title: string;
  onClose: () => void;
  onSubmit: () => void;
  /** What the button says. */
  submit: string;
  /** What the button says that closes the dialog; «Cancel» if nothing is said. */
  dismiss?: string;
  danger?: boolean;
  isBusy?: boolean;
  children: ReactNode;
}) {
  const t = useTexts(words);
  const send = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={send}>
        <div className="dialog-body">{children}</div>
        <footer className="dialog-foot">
          <Button onClick={onClose}>{dismiss ?? t.cancel}</Button>
          <Button type="submit" look={danger ? 'danger' : 'primary'} busy={isBusy ?? false}>{submit}</Button>
        </footer>
      </form>
    </Dialog>
  );
}
