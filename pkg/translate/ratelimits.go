package translate

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// rateAnnotations are the annotations of an Ingress that limit its clients.
var rateAnnotations = []string{
	annotationPrefix + "limit-rps", annotationPrefix + "limit-rpm", annotationPrefix + "limit-connections",
	annotationPrefix + "limit-burst-multiplier", annotationPrefix + "limit-allowlist", annotationPrefix + "limit-status",
	annotationPrefix + "limit-shared", annotationPrefix + "limit-ipv6-prefix-length", annotationPrefix + "limit-rate",
	annotationPrefix + "limit-rate-after",
}

// Bounds of the annotations.
const (
	maxRate          = 1_000_000
	maxBurst         = 1000
	maxExempt        = 1024
	maxKilobytes     = 1 << 30
	defaultBurst     = 5 // of ingress-nginx
	ipv6AddressBits  = 128
	minIPv6Bits      = 16
	minRefusalStatus = 400
	maxRefusalStatus = 599
)

// readRates reads the annotations about rates.
func (r *annotationReader) readRates() {
	limit := model.RateLimit{
		Source:      r.ref,
		PerSecond:   r.readNumberSetting("limit-rps", "limit-rps", 0, 0, maxRate),
		PerMinute:   r.readNumberSetting("limit-rpm", "limit-rpm", 0, 0, maxRate),
		Connections: r.readNumberSetting("limit-connections", "limit-connections", 0, 0, maxRate),
		Burst:       r.readNumberSetting("limit-burst-multiplier", "limit-burst-multiplier", defaultBurst, 1, maxBurst),

		Exempt:           r.readExempt(),
		IPv6PrefixLength: r.readNumberSetting("limit-ipv6-prefix-length", "", ipv6AddressBits, minIPv6Bits, ipv6AddressBits),
	}
	r.readRefusal(&limit)
	r.readShared(&limit)
	if limit.PerSecond+limit.PerMinute+limit.Connections > 0 {
		r.ensureFilters().RateLimit = &limit
	} else {
		r.needCompanion([]string{
			"limit-shared", "limit-burst-multiplier", "limit-allowlist", "limit-status", "limit-ipv6-prefix-length",
		}, "limit-rps, limit-rpm or limit-connections")
	}
	rate := model.ResponseRate{
		BytesPerSecond: int64(r.readNumberSetting("limit-rate", "limit-rate", 0, 0, maxKilobytes)) << 10,
		After:          int64(r.readNumberSetting("limit-rate-after", "limit-rate-after", 0, 0, maxKilobytes)) << 10,
	}
	if rate.BytesPerSecond > 0 {
		r.ensureFilters().ResponseRate = &rate
	} else {
		r.needCompanion([]string{"limit-rate-after"}, "limit-rate")
	}
}

// readShared sets whether the replicas share the rates.
func (r *annotationReader) readShared(limit *model.RateLimit) {
	v := r.annotation(annotationPrefix, "limit-shared")
	if !r.readBool(v, false) {
		return
	}
	switch {
	case limit.PerSecond+limit.PerMinute == 0:
		if limit.Connections > 0 { // otherwise all annotations of the family lack their companion
			r.report(ReasonNoEffect, v.key, "annotation %s has no effect without limit-rps or limit-rpm: each replica counts connections "+
				"for itself", v.key)
		}
	case r.options.WithoutSharedStore:
		r.report(ReasonNoEffect, v.key,
			"annotation %s has no effect, because --session-store is memory: each replica limits its own requests", v.key)
	default:
		limit.IsShared = true
	}
}

// readRefusal sets the status of refused requests.
func (r *annotationReader) readRefusal(limit *model.RateLimit) {
	limit.Status, limit.ConnectionStatus = http.StatusServiceUnavailable, http.StatusServiceUnavailable
	if n := r.options.Nginx; n != nil && n.LimitStatus != 0 && n.LimitConnectionStatus != 0 {
		limit.Status, limit.ConnectionStatus = n.LimitStatus, n.LimitConnectionStatus
	}
	if status := r.readNumberSetting("limit-status", "", 0, minRefusalStatus, maxRefusalStatus); status != 0 {
		limit.Status, limit.ConnectionStatus = status, status
	}
}

// needCompanion reports annotations of Limpet that have no effect without another one.
func (r *annotationReader) needCompanion(names []string, needed string) {
	for _, name := range names {
		if v := r.annotation(annotationPrefix, name); v.isSet {
			r.report(ReasonNoEffect, v.key, "annotation %s has no effect without %s", v.key, needed)
		}
	}
}

// readNumberSetting returns the number in a setting, or the fallback.
func (r *annotationReader) readNumberSetting(own, nginx string, fallback, least, most int) int {
	v := r.setting(own, nginx)
	if !v.isSet {
		return fallback
	}
	n, err := strconv.Atoi(v.text)
	if err != nil || n < least || n > most {
		r.invalidValue(v.key, fmt.Sprintf("it must be a whole number from %d to %d", least, most))
		return fallback
	}
	return n
}

// readExempt returns the networks that have no limits. It leaves out invalid ones.
func (r *annotationReader) readExempt() []netip.Prefix {
	v := r.setting("limit-allowlist", "limit-whitelist")
	if !v.isSet {
		v = r.annotation(nginxPrefix, "limit-allowlist") // an alias
	}
	if !v.isSet {
		return nil
	}
	var out []netip.Prefix
	for entry := range strings.SplitSeq(v.text, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		prefix, ok := parseNetwork(entry)
		if !ok || len(out) == maxExempt {
			r.invalid(v.key, "annotation %s: %s is left out, because it is not one of at most %d addresses or networks",
				v.key, quote(entry), maxExempt)
			continue
		}
		out = append(out, prefix)
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(out)
}
