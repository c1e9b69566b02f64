import { Loading, Page } from '../ui';

export default function MappingPage({ flow }: { flow: string }) {
  return <Page title={flow}><Loading /></Page>;
}
