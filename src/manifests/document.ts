import type { Template } from "./template.ts";

/** One object of an installation, or as many as its template leaves. */
export interface Document {
  /** Of the chart's templates: without an ending. */
  readonly file: string;
  /** For whoever reads the YAML; null: none. */
  readonly comment: string | null;
  readonly template: Template;
}
