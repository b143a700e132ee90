package translate

import (
	"fmt"
	"slices"
	"strings"
)

// AnnotationUpgradeProtocols lists the protocols, besides WebSocket, to which clients may upgrade an HTTP/1.1 connection.
const AnnotationUpgradeProtocols = annotationPrefix + "upgrade-protocols"

// Bounds of AnnotationUpgradeProtocols.
const (
	maxUpgradeProtocols = 8
	maxProtocolBytes    = 64
)

// readUpgradeProtocols returns the protocols in the annotation. It leaves out invalid ones. WebSocket is always allowed and may
// be listed.
func (r *annotationReader) readUpgradeProtocols() []string {
	value, set := r.annotations[AnnotationUpgradeProtocols]
	if !set {
		return nil
	}
	var protocols []string
	listed := strings.Split(value, ",")
	if len(listed) > maxUpgradeProtocols {
		r.invalidValue(AnnotationUpgradeProtocols, fmt.Sprintf("it must have at most %d protocols", maxUpgradeProtocols))
		return nil
	}
	for _, protocol := range listed {
		protocol = strings.TrimSpace(protocol)
		if problem := upgradeProblem(protocol); problem != "" {
			r.invalidValue(AnnotationUpgradeProtocols, problem)
			continue
		}
		if !strings.EqualFold(protocol, "websocket") && !slices.Contains(protocols, protocol) {
			protocols = append(protocols, protocol)
		}
	}
	return protocols
}

// upgradeProblem returns why a protocol cannot be allowed, or an empty string. HTTP and TLS would carry requests past all
// routes: the pod would serve any host and path that the client sends.
func upgradeProblem(protocol string) string {
	name, version, hasVersion := strings.Cut(protocol, "/")
	switch strings.ToLower(name) {
	case "h2c", "h2", "h3", "http", "tls":
		return fmt.Sprintf("%s is left out, because requests in it would bypass routes", quote(protocol))
	}
	if len(protocol) > maxProtocolBytes || !isToken(name) || hasVersion && !isToken(version) {
		return fmt.Sprintf("%s is left out, because it is not a protocol such as SPDY/3.1 of at most %d characters",
			quote(protocol), maxProtocolBytes)
	}
	return ""
}
