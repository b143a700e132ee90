package translate

import (
	"strconv"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// authCacheTimes returns the times for which decisions are kept. The default equals the default of ingress-nginx.
func (r *annotationReader) authCacheTimes() []model.CacheTime {
	v, key := r.setting(nameAuthCacheDuration, nameAuthCacheDuration), r.setting(nameAuthCacheKey, nameAuthCacheKey)
	if key.text == "" {
		return nil
	}
	text := v.text
	if text == "" {
		text = "200 202 401 5m"
	}
	times, ok := parseCacheTimes(text)
	if !ok {
		r.failProtection(v, false, "must have statuses and times, such as 200 202 401 5m")
	}
	return times
}

// parseCacheTimes parses "200 202 10m, 401 1m". A time alone is for status 200, as in nginx.
func parseCacheTimes(text string) (times []model.CacheTime, ok bool) {
	for entry := range strings.SplitSeq(text, ",") {
		words := strings.Fields(entry)
		if len(words) == 0 {
			return nil, false
		}
		keep, ok := parseNginxTime(words[len(words)-1])
		if !ok {
			return nil, false
		}
		statuses := words[:len(words)-1]
		if len(statuses) == 0 {
			statuses = []string{"200"}
		}
		for _, word := range statuses {
			status, err := strconv.Atoi(word)
			if err != nil || status < 100 || status > 599 {
				return nil, false
			}
			times = append(times, model.CacheTime{Status: status, For: keep})
		}
	}
	return times, true
}

// parseNginxTime parses a time of nginx with at most one unit, of at most a year.
func parseNginxTime(text string) (time.Duration, bool) {
	const year = 365 * 24 * time.Hour
	digits := strings.TrimRight(text, "msdhwMy")
	unit, known := map[string]time.Duration{
		"": time.Second, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
		"w": 7 * 24 * time.Hour, "M": 30 * 24 * time.Hour, "y": year,
	}[text[len(digits):]]
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || !known || time.Duration(n) > year/unit {
		return 0, false
	}
	return time.Duration(n) * unit, true
}
