/** Why there is no connection, in words. Who connects asks here, and who listens, of those that it doesn't let in. */

const OTHER_GROUP = "it has another group's file";
const EXPIRED = "its group file has expired";
const IN_THE_CLEAR = "it speaks in the clear, without a group file";
const NOT_LIKED = "it doesn't believe this group file";

/** By the codes of OpenSSL and Node. */
const HANDSHAKE_PROBLEMS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: OTHER_GROUP,
  SELF_SIGNED_CERT_IN_CHAIN: OTHER_GROUP,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OTHER_GROUP,
  UNABLE_TO_GET_ISSUER_CERT: OTHER_GROUP,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OTHER_GROUP,
  CERT_SIGNATURE_FAILURE: OTHER_GROUP,
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_GROUP,
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: "its group file is not valid yet: do the clocks differ?",
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "it has no group file",
  ERR_SSL_WRONG_VERSION_NUMBER: IN_THE_CLEAR,
  ERR_SSL_HTTP_REQUEST: IN_THE_CLEAR,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: IN_THE_CLEAR,
  ERR_SSL_RECORD_LAYER_FAILURE: IN_THE_CLEAR,
  ERR_SSL_UNSUPPORTED_PROTOCOL: "it speaks an older TLS than 1.3",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "it doesn't speak TLS 1.3",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: NOT_LIKED,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: NOT_LIKED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: NOT_LIKED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: NOT_LIKED,
  EPROTO: "it doesn't speak TLS 1.3: perhaps it has no group file",
  ERR_TLS_HANDSHAKE_TIMEOUT: "its handshake didn't end in time",
};

export interface Failure {
  reason: string;
  /** Somebody is there, and one of the two doesn't take the other for a member. */
  isStranger: boolean;
}

export function explainFailure({ code, message }: NodeJS.ErrnoException): Failure {
  const problem = HANDSHAKE_PROBLEMS[code ?? ""];
  // What OpenSSL says besides is for its authors: it has the place in their source in it.
  const reason = problem ?? code ?? message;
  return { reason, isStranger: problem !== undefined };
}
