import { Loading, Page } from '../ui';

export default function AccountsPage({ account }: { account?: string }) {
  return <Page title={account ?? ""}><Loading /></Page>;
}
