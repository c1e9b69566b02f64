import { Loading, Page } from '../../ui';

export function OverviewPage() {
  return <Page title="overview"><Loading /></Page>;
}
