import { Loading, Page } from '../../ui';

export default function FlowPage({ flow }: { flow: string }) {
  return <Page title={flow}><Loading /></Page>;
}
