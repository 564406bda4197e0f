/** What to do about an API server that does not answer, or answers something else. Ends a message. */

const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_/;

export function adviceOnSilence(code: string): string {
  return certificateCodes.test(code)
    ? "Its certificate is not trusted: check the certificate authority in the kubeconfig, and that the address is a name of the certificate."
    : "Check that it runs, that the address in the kubeconfig is right, and that the network lets this process through.";
}

/** `right`: what somebody who may not is to be given. */
export function adviceOnStatus(status: number, right: string): string {
  switch (status) {
    case 401:
      return 'The credentials are not accepted: try them with "kubectl auth whoami".';
    case 403:
      return right;
    case 200:
    case 404:
      return "Something else than an API server seems to answer at this address: check the server in the kubeconfig.";
    default:
      return 'Check that the API server is well: "kubectl get --raw /readyz".';
  }
}
