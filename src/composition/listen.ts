/** Takes reviews at the admission address, and tells whoever has to know when they cannot be taken. */

import type { AdmissionServerOptions } from "../admission/server.ts";
import type { RunOptions } from "../config/options.ts";
import type { CoverageKeeper } from "./coverage-keeper.ts";
import type { EnginePorts, ReviewListener } from "./engine-ports.ts";
import type { Intake } from "./intake.ts";

export interface Listening extends Pick<AdmissionServerOptions, "certificate" | "paths"> {
  readonly options: RunOptions;
  readonly review: AdmissionServerOptions["handleReview"];
  readonly intake: Pick<Intake, "onBlind" | "onSeeing">;
  readonly coverage: Pick<CoverageKeeper, "lost" | "found">;
}

/** Throws what `takeReviews` throws. */
export function listen(listening: Listening, ports: EnginePorts): Promise<ReviewListener> {
  const { options, review, intake, coverage, certificate, paths } = listening;
  const { admission, bounds } = options;
  return ports.takeReviews({
    ...admission.address,
    certificate,
    paths,
    maxBodyBytes: bounds.reviewBytes,
    maxTotalBodyBytes: bounds.reviewTotalBytes,
    maxConnections: bounds.reviewConnections,
    drainMs: bounds.drainSeconds * 1000,
    handleReview: review,
    onBlind: (reason) => {
      intake.onBlind();
      coverage.lost(reason);
    },
    onSeeing: () => {
      intake.onSeeing();
      coverage.found();
    },
  });
}
