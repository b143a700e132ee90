package translate

import (
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/limpet-dev/limpet/pkg/model"
)

// readBoolInto parses a value as ingress-nginx does. An empty one is false.
func readBoolInto(to *bool, text string) (must string) {
	on, err := strconv.ParseBool(text)
	if err != nil && text != "" {
		return "it must be true or false"
	}
	*to = on
	return ""
}

// boolKey returns the reader of a setting that is true or false.
func boolKey(field func(*NginxDefaults) *bool) func(*configReader, string) string {
	return func(c *configReader, text string) string { return readBoolInto(field(c.defaults), text) }
}

// readNumberInto parses a number within bounds.
func readNumberInto[T int | int64](to *T, text string, least, most T) (must string) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < int64(least) || n > int64(most) {
		return fmt.Sprintf("it must be a whole number from %d to %d", least, most)
	}
	*to = T(n)
	return ""
}

// statusKey returns the reader of a status for refused requests.
func statusKey(field func(*NginxDefaults) *int) func(*configReader, string) string {
	return func(c *configReader, text string) string {
		return readNumberInto(field(c.defaults), text, minRefusalStatus, maxRefusalStatus)
	}
}

// kilobytesKey returns the reader of a number of kilobytes.
func kilobytesKey(field func(*NginxDefaults) *int64) func(*configReader, string) string {
	return func(c *configReader, text string) string {
		must := readNumberInto(field(c.defaults), text, 0, maxKilobytes)
		if must == "" {
			*field(c.defaults) <<= 10
		}
		return must
	}
}

// secondsKey returns the reader of a timeout in seconds. Longer ones than maxTimeout are shortened.
func secondsKey(field func(*NginxDefaults) *time.Duration) func(*configReader, string) string {
	return func(c *configReader, text string) string {
		seconds, err := strconv.ParseInt(text, 10, 32)
		if err != nil || seconds < 1 {
			return "it must be a whole number of seconds, at least 1"
		}
		*field(c.defaults) = min(time.Duration(seconds)*time.Second, maxTimeout)
		return ""
	}
}

func (c *configReader) readRetryTimeout(text string) (must string) {
	if text == "0" {
		c.defaults.RetryTimeout = 0
		return ""
	}
	return secondsKey(func(d *NginxDefaults) *time.Duration { return &d.RetryTimeout })(c, text)
}

func (c *configReader) readBodySize(text string) (must string) {
	if text == "" {
		return ""
	}
	size, ok := parseSize(text)
	if !ok {
		return "it must be a size such as 8m, with k, m or g as the unit, or 0 for no limit"
	}
	c.defaults.MaxBodyBytes = size
	if size == 0 {
		c.defaults.MaxBodyBytes = model.NoBound
	}
	return ""
}

func (c *configReader) readNextUpstream(text string) (must string) {
	fields := strings.Fields(text)
	for _, field := range fields {
		if !slices.Contains(retryConditions, field) {
			return "it must list some of " + strings.Join(retryConditions, ", ")
		}
	}
	c.defaults.RetryConditions = fields
	return ""
}

// readTries reads the number of attempts. In ingress-nginx, 0 means no limit.
func (c *configReader) readTries(text string) (must string) {
	tries, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return "it must be a whole number"
	}
	if tries == 0 {
		tries = maxAttempts
	}
	c.defaults.MaxAttempts = int(min(tries, maxAttempts))
	return ""
}

func (c *configReader) readRedirectCode(text string) (must string) {
	code, err := strconv.Atoi(text)
	if err != nil || !slices.Contains([]int{301, 302, 307, 308}, code) {
		return "it must be 301, 302, 307 or 308"
	}
	c.defaults.RedirectCode = code
	return ""
}

func (c *configReader) readBalance(text string) (must string) {
	if text == "" {
		return ""
	}
	pick, known := nginxLoadBalance[text]
	if !known {
		return "it must be round_robin or ewma"
	}
	c.defaults.Balance = pick
	return ""
}

// readErrors reads the statuses with error pages. As in ingress-nginx, invalid entries are left out.
func (c *configReader) readErrors(text string) (must string) {
	var statuses []int
	for entry := range strings.SplitSeq(text, ",") {
		entry = strings.TrimSpace(entry)
		one, ok := parseStatuses(entry)
		if entry != "" && !ok {
			c.report("custom-http-errors", ReasonInvalidConfigMap,
				"key custom-http-errors has the entry %s, which is left out, because it is not a status from 300 to 599", quote(entry))
		}
		statuses = append(statuses, one...)
	}
	slices.Sort(statuses)
	c.defaults.ErrorStatuses = slices.Compact(statuses)
	return ""
}

// hstsKeys are the keys that result in one Strict-Transport-Security field.
type hstsKeys struct {
	isOn, subdomains, preload bool
	seconds                   int
}

// newHSTSKeys returns the keys of a field, those of ingress-nginx for an empty one.
func newHSTSKeys(field string) hstsKeys {
	k := hstsKeys{isOn: field != "", subdomains: true, seconds: 31536000}
	if k.isOn {
		k.subdomains, k.preload = strings.Contains(field, "includeSubDomains"), strings.Contains(field, "preload")
	}
	return k
}

func (k *hstsKeys) text() string {
	if !k.isOn {
		return ""
	}
	text := fmt.Sprintf("max-age=%d", k.seconds)
	if k.subdomains {
		text += "; includeSubDomains"
	}
	if k.preload {
		text += "; preload"
	}
	return text
}

func (c *configReader) readMaxAge(text string) (must string) {
	return readNumberInto(&c.hsts.seconds, text, 0, maxAge)
}

func (c *configReader) readNoRedirect(text string) (must string) {
	c.defaults.NoRedirectLocations = splitList(text)
	return ""
}

func (c *configReader) readNoAuth(text string) (must string) {
	c.defaults.NoAuthLocations = splitList(text)
	return ""
}

// readRewrites reads the keys that rewrite fields of responses as the annotations of an Ingress.
func (c *configReader) readRewrites() {
	annotations := map[string]string{}
	for _, name := range []string{"proxy-cookie-domain", "proxy-cookie-path", "proxy-redirect-from", "proxy-redirect-to"} {
		if text := c.values[name]; text != "" {
			annotations[nginxPrefix+name] = text
		}
	}
	d := &description{ref: c.ref}
	r := &annotationReader{description: d, annotations: annotations, options: &Options{}}
	r.readRewrites()
	for _, p := range d.problems[0] {
		key, _, _ := strings.Cut(strings.TrimPrefix(p.Field, "metadata.annotations["+nginxPrefix), "]")
		c.report(key, ReasonInvalidConfigMap, "key %s has the value %s, which cannot be applied. The key is ignored",
			key, quote(c.values[key]))
	}
	if d.filters != nil && d.filters.Rewrites != nil {
		c.defaults.Rewrites = *d.filters.Rewrites
	}
}

// splitList returns the entries of a list with commas, without empty ones.
func splitList(text string) (out []string) {
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			out = append(out, entry)
		}
	}
	return out
}

func (c *configReader) readAllowedHeaders(text string) (must string) {
	c.defaults.AllowedResponseHeaders = splitList(text)
	return ""
}

func (c *configReader) readHideHeaders(text string) (must string) {
	for _, entry := range splitList(text) {
		name := textproto.CanonicalMIMEHeaderKey(entry)
		problem := fieldProblem(name, "", false)
		if problem == "" && len(c.hidden) == maxFields {
			problem = fmt.Sprintf("there must be at most %d fields", maxFields)
		}
		if problem != "" {
			c.report("hide-headers", ReasonInvalidConfigMap, "key hide-headers: field %s is not hidden, because %s", quote(entry), problem)
			continue
		}
		c.hidden = append(c.hidden, name)
	}
	return ""
}

const mustNameConfigMap = "it must name a ConfigMap as namespace/name"

func (c *configReader) readAddHeaders(text string) (must string) {
	if text != "" && !parseObjectName(text, &c.addHeaders) {
		return mustNameConfigMap
	}
	return ""
}

// readSetHeaders reads the name of a ConfigMap whose fields may identify clients to pods.
func (c *configReader) readSetHeaders(text string) (must string) {
	if text != "" && !parseObjectName(text, &c.setHeaders) {
		c.refuse(closesAll, "proxy-set-headers", "has the value "+quote(text)+"; "+mustNameConfigMap)
	}
	return ""
}

func parseObjectName(text string, to *types.NamespacedName) bool {
	namespace, name, _ := strings.Cut(text, "/")
	if len(validation.IsDNS1123Label(namespace)) > 0 || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return false
	}
	*to = types.NamespacedName{Namespace: namespace, Name: name}
	return true
}
