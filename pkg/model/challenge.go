package model

import "strings"

// ChallengePath is the path below which CAs request the proof that an applicant controls a host (RFC 8555 section 8.3).
const ChallengePath = "/.well-known/acme-challenge"

// IsChallenge reports whether a normalized path is ChallengePath or below it.
func IsChallenge[T string | []byte](path T) bool {
	const n = len(ChallengePath)
	return len(path) >= n && string(path[:n]) == ChallengePath && (len(path) == n || path[n] == '/')
}

// ServesChallenges reports whether all paths of r are ChallengePath or below it. Such a route is exempt from what no CA can
// do, as in ingress-nginx. A pattern with alternatives may match other paths as well, so it is not exempt.
func (r *Route) ServesChallenges() bool {
	return IsChallenge(r.Path) && (r.PathType != PathPattern || !strings.Contains(r.Path, "|"))
}
