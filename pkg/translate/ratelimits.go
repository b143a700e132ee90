package translate

import (
	"cmp"
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
		r.needCompanion(sameName("limit-rps, limit-rpm or limit-connections"),
			sameName("limit-burst-multiplier"), sameName("limit-allowlist"), names{nginx: "limit-whitelist"},
			names{own: "limit-shared"}, names{own: "limit-status"}, names{own: "limit-ipv6-prefix-length"})
	}
	d := r.defaultsOrZero().ResponseRate
	rate := model.ResponseRate{
		BytesPerSecond: int64(r.readNumberSetting("limit-rate", "limit-rate", int(d.BytesPerSecond>>10), 0, maxKilobytes)) << 10,
		After:          int64(r.readNumberSetting("limit-rate-after", "limit-rate-after", int(d.After>>10), 0, maxKilobytes)) << 10,
	}
	if rate.BytesPerSecond > 0 {
		r.ensureFilters().ResponseRate = &rate
	} else {
		r.needCompanion(sameName("limit-rate"), sameName("limit-rate-after"))
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
	d := r.defaultsOrZero()
	limit.Status = cmp.Or(d.LimitStatus, limit.Status)
	limit.ConnectionStatus = cmp.Or(d.LimitConnectionStatus, limit.ConnectionStatus)
	if status := r.readNumberSetting("limit-status", "", 0, minRefusalStatus, maxRefusalStatus); status != 0 {
		limit.Status, limit.ConnectionStatus = status, status
	}
}

// names are the names of a setting in annotations of Limpet and of ingress-nginx, without prefixes. An empty name means that
// there is no such annotation.
type names struct{ own, nginx string }

// sameName returns the names of a setting that has one name.
func sameName(name string) names { return names{name, name} }

// needCompanion reports the annotations of settings that have no effect without another one, which may include its value.
func (r *annotationReader) needCompanion(needed names, settings ...names) {
	for _, s := range settings {
		if v := r.annotation(annotationPrefix, s.own); v.isSet {
			r.report(ReasonNoEffect, v.key, "annotation %s has no effect without %s", v.key, annotationPrefix+needed.own)
		}
		if v := r.annotation(nginxPrefix, s.nginx); v.isSet {
			r.report(ReasonNoEffect, v.key, "annotation %s has no effect without %s", v.key, nginxPrefix+needed.nginx)
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
