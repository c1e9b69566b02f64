// Buttons, and links that look like them.

import type { AnchorHTMLAttributes, ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { Icon, type IconName } from './icons';

type Look = 'plain' | 'primary' | 'danger' | 'quiet';

interface Own {
  look?: Look | undefined;
  icon?: IconName | undefined;
  /** A small one, for rows of tables. */
  small?: boolean | undefined;
}

const classOf = ({ look = 'plain', small = false }: Own, extra: string | undefined): string =>
  `button button-${look}${small ? ' button-small' : ''}${extra ? ` ${extra}` : ''}`;

/** A button. While `busy`, it cannot be pressed and says so to screen readers. */
export function Button({
  look, icon, small, busy = false, className, children, disabled, ref, ...rest
}: Own & ButtonHTMLAttributes<HTMLButtonElement> & { busy?: boolean; ref?: Ref<HTMLButtonElement> }) {
  return (
    <button
      type="button"
      ref={ref}
      {...rest}
      className={classOf({ look, small }, className)}
      disabled={disabled}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : rest.onClick}
    >
      {busy ? <span className="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A button that shows only an icon; `label` is its name. */
export function IconButton({
  label, icon, className, ref, ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { label: string; icon: IconName; ref?: Ref<HTMLButtonElement> }) {
  return (
    <button type="button" ref={ref} title={label} aria-label={label} {...rest} className={`icon-button ${className ?? ''}`}>
      <Icon name={icon} />
    </button>
  );
}

/** A link that looks like a button. */
export function LinkButton({
  look, icon, small, className, children, ...rest
}: Own & AnchorHTMLAttributes<HTMLAnchorElement> & { href: string; children: ReactNode }) {
  return (
    <a {...rest} className={classOf({ look, small }, className)}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}
