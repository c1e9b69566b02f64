// The shared components.

export { Badge, HEALTH_LOOK, RUN_LOOK, RunBadge, type RunState, stateOf, type Tone, useRunWords } from './badge';
export { Button, IconButton, LinkButton } from './button';
export { AskDialog, Dialog } from './dialog';
export { Field } from './field';
export { Icon, type IconName } from './icons';
export { JsonView } from './json';
export { Facts, Page, Section } from './page';
export { Prose } from './prose';
export { Empty, ErrorView, Loading, Mistakes, Notice, Show, useProblem } from './states';
export { type Column, Table } from './table';
export { serverNow, setServerNow, Time, Took, useNow } from './time';
export { ToastProvider, type Toasts, useToasts } from './toast';
