// The form of the alerts' settings: what stands in it, what has changed, what is wrong with it.

import type { AlertSettings, AlertSettingsChange } from '../../api/types';

/** A rule in the form. */
export interface RuleForm {
  name: string;
  isOn: boolean;
  /** `undefined` where the rule has no bound. */
  bound: string | undefined;
}

/** The whole form. */
export interface AlertForm {
  rules: RuleForm[];
  isQuiet: boolean;
  quietFrom: string;
  quietUntil: string;
}

/** Begin and end of quiet hours as they are written, such as `22:00-08:00`. */
export function readHours(text: string | undefined): [from: string, until: string] | undefined {
  const match = /^\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*$/.exec(text ?? '');
  if (match === null) return undefined;
  return [(match[1] ?? '').padStart(5, '0'), (match[2] ?? '').padStart(5, '0')];
}

/** The form of settings. */
export function formOf(settings: AlertSettings): AlertForm {
  const hours = readHours(settings.quiet_hours);
  return {
    rules: settings.rules.map((rule) => ({ name: rule.name, isOn: rule.is_on, bound: rule.bound })),
    isQuiet: hours !== undefined,
    quietFrom: hours?.[0] ?? '22:00',
    quietUntil: hours?.[1] ?? '08:00',
  };
}

function quietText(form: AlertForm): string {
  return form.isQuiet ? `${form.quietFrom}-${form.quietUntil}` : '';
}

/** What to ask for: only what has changed; `undefined` if nothing has. */
export function changeOf(settings: AlertSettings, form: AlertForm): AlertSettingsChange | undefined {
  const before = formOf(settings);
  const rules = form.rules.filter((rule) => {
    const old = before.rules.find((one) => one.name === rule.name);
    return old === undefined || old.isOn !== rule.isOn || old.bound !== rule.bound?.trim();
  });
  const isQuietChanged = quietText(before) !== quietText(form);
  if (rules.length === 0 && !isQuietChanged) return undefined;
  return {
    revision: settings.revision,
    rules: rules.map((rule) => ({
      name: rule.name,
      is_on: rule.isOn,
      ...(rule.bound === undefined ? {} : { bound: rule.bound.trim() }),
    })),
    ...(isQuietChanged ? { quiet_hours: quietText(form) } : {}),
  };
}

/** Puts what was changed in a form onto settings that have been loaded again. */
export function carriedOver(old: AlertSettings, form: AlertForm, fresh: AlertSettings): AlertForm {
  const before = formOf(old);
  const after = formOf(fresh);
  const isQuietChanged = quietText(before) !== quietText(form);
  return {
    rules: after.rules.map((rule) => {
      const was = before.rules.find((one) => one.name === rule.name);
      const is = form.rules.find((one) => one.name === rule.name);
      if (was === undefined || is === undefined) return rule;
      return {
        ...rule,
        isOn: is.isOn === was.isOn ? rule.isOn : is.isOn,
        bound: is.bound === was.bound ? rule.bound : is.bound,
      };
    }),
    isQuiet: isQuietChanged ? form.isQuiet : after.isQuiet,
    quietFrom: isQuietChanged ? form.quietFrom : after.quietFrom,
    quietUntil: isQuietChanged ? form.quietUntil : after.quietUntil,
  };
}

/** What is wrong with a form, before the server is asked. */
export function mistakesOf(form: AlertForm): { bounds: string[]; isQuietWrong: boolean } {
  return {
    bounds: form.rules.filter((rule) => rule.isOn && rule.bound !== undefined && rule.bound.trim() === '').map((rule) => rule.name),
    isQuietWrong: form.isQuiet && (form.quietFrom === '' || form.quietUntil === '' || form.quietFrom === form.quietUntil),
  };
}
