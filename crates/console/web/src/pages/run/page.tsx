import { Loading, Page } from '../../ui';

export default function RunPage({ flow, run }: { flow: string; run: number }) {
  return <Page title={`${flow} ${run}`}><Loading /></Page>;
}
