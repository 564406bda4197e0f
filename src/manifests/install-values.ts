/** What whoever installs may choose: the options of `kubescribe install`, and the values of the chart. */

export interface InstallValues {
  /** Of everything that has one. A chart takes the release's. */
  readonly namespace: string;
  readonly image: string;
  readonly replicas: number;
  readonly storage: "none" | "pvc";
  readonly storageSize: string;
  /** Empty: the cluster's default. */
  readonly storageClass: string;
  readonly certificates: "self" | "cert-manager" | "files";
  /** Types that kubescribe may read. */
  readonly watch: readonly TypesRead[];
  /** Secrets of Git remotes that it may read. */
  readonly gitSecrets: readonly SecretName[];
  /** Addresses, as CIDRs, from which reviews come; empty: no NetworkPolicy. */
  readonly networkPolicy: readonly string[];
  readonly serviceMonitor: boolean;
  readonly prometheusRule: boolean;
  readonly dashboard: boolean;
  readonly cpu: string;
  readonly memory: string;
  readonly memoryLimit: string;
  /** More options of `kubescribe run`. */
  readonly args: readonly string[];
  /** More fields of the Pod's spec; of the chart alone. */
  readonly pod: Readonly<Record<string, unknown>>;
}

export interface TypesRead {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
}

export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

export type ListItem = TypesRead | SecretName | string;
