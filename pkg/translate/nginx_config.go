package translate

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
)

// nginxConfig is the protection that the ConfigMap of ingress-nginx configures for the Ingresses of its classes, and the problems
// with the ConfigMap. Its other settings are in Options.Nginx. It is immutable.
type nginxConfig struct {
	// allow and deny are the lists of Ingresses without a list of that kind. block is added to the lists of all of them.
	allow, deny, block []netip.Prefix
	// auth is the authentication of Ingresses without auth-url that do not disable it. Nil requires none.
	auth *authSettings
	// addHeaders and setHeaders are the ConfigMaps with fields of responses and requests, or empty.
	addHeaders, setHeaders types.NamespacedName
	// hidden are the fields of responses that are removed, in canonical form.
	hidden []string
	// refused are the keys whose protection is not enforced, by what they close.
	refused map[closureScope]refusedKey
	// problems are for the Report of the ConfigMap.
	problems []Problem
}

// closureScope is the set of Ingresses that a key of the ConfigMap closes.
type closureScope uint8

const (
	closesAll       closureScope = iota
	closesAllow                  // those without a list of admitted addresses
	closesDeny                   // those without a list of refused addresses
	closesAuth                   // those that the authentication applies to
	closesAddresses              // those with any list of addresses
)

// refusedKey is a key whose protection is not enforced. why is the end of a sentence about it.
type refusedKey struct{ key, why string }

// wholeConfigMap is refusedKey.key for the ConfigMap as a whole.
const wholeConfigMap = ""

// configReader reads the ConfigMap of ingress-nginx.
type configReader struct {
	nginxConfig

	ref      model.Ref
	values   map[string]string // without the spaces around them
	options  *Options
	defaults *NginxDefaults
	hsts     hstsKeys
}

// withNginxConfig returns the options with what the ConfigMap of ingress-nginx configures. It is nil if it does not exist.
func (o Options) withNginxConfig(configMap *corev1.ConfigMap) Options {
	if o.NginxConfigMap.Name == "" {
		return o
	}
	c := &configReader{ref: o.nginxConfigRef(), options: &o, defaults: &NginxDefaults{}, values: map[string]string{}}
	c.refused = map[closureScope]refusedKey{}
	if o.Nginx != nil {
		*c.defaults = *o.Nginx
	}
	if configMap == nil {
		c.refuse(closesAll, wholeConfigMap, "does not exist, so that its protection is not known")
	} else {
		for key, value := range configMap.Data {
			c.values[key] = strings.TrimSpace(value)
		}
		c.readAll()
	}
	o.Nginx, o.config = c.defaults, &c.nginxConfig
	return o
}

// nginxConfigRef returns the Ref of the ConfigMap of ingress-nginx.
func (o *Options) nginxConfigRef() model.Ref {
	return model.Ref{Kind: model.KindConfigMap, Namespace: o.NginxConfigMap.Namespace, Name: o.NginxConfigMap.Name}
}

func (c *configReader) readAll() {
	c.hsts = newHSTSKeys(c.defaults.HSTS)
	for _, key := range slices.Sorted(maps.Keys(c.values)) {
		text := c.values[key]
		known := keysByName[key]
		switch {
		case known == nil:
			c.readUnknown(key)
		case known.read != nil:
			if must := known.read(c, text); must != "" {
				c.report(key, ReasonInvalidConfigMap, "key %s has the value %s; %s. The key is ignored", key, quote(text), must)
			}
		case known.handling == Refused:
			c.readRefused(known, text)
		}
	}
	c.readGlobalAuth()
	c.readRewrites()
	c.checkUnenforced()
	if c.hsts != newHSTSKeys(c.defaults.HSTS) {
		c.defaults.HSTS = c.hsts.text()
	}
}

// readRefused reports a key that this version does not implement.
func (c *configReader) readRefused(known *configKey, text string) {
	switch known.effectOf(text) {
	case effectNone:
	case effectProtection:
		scope := closesAll
		if strings.HasPrefix(known.name, "global-auth-") {
			scope = closesAuth
		}
		c.refuse(scope, known.name, "requires protection that this version does not enforce")
	default:
		how := ""
		if known.how != "" {
			how = ". Instead, " + known.how
		}
		c.report(known.name, ReasonUnsupportedKey, "key %s is not honoured by this version%s", known.name, how)
	}
}

// effectOf returns the effect of a value.
func (k *configKey) effectOf(text string) effect {
	switch {
	case k.isExact(&setValue{text: text}):
		return effectNone
	case k.effect == nil:
		return effectOther
	}
	return k.effect(text, nil)
}

// readUnknown reports an unknown key. It may be a misspelled one that restricts access.
func (c *configReader) readUnknown(key string) {
	meant := meantProtection(key, keyNames, isProtectiveKey, len(c.problems))
	if meant != "" {
		c.refuse(closesAll, key, "is unknown and may restrict access: its name resembles "+meant)
		return
	}
	c.report(key, ReasonUnsupportedKey, "key %s is unknown.%s", quote(key), didYouMean(key, keyNames))
}

var keyNames = func() []string { return slices.Sorted(maps.Keys(keysByName)) }()

// isProtectiveKey reports whether a key restricts access for some values.
func isProtectiveKey(name string) bool {
	known := keysByName[name]
	return known != nil && (known.effect != nil || slices.Contains(protectiveKeys, name) || strings.HasPrefix(name, "global-auth-"))
}

// protectiveKeys are the keys that this version implements and that restrict access.
var protectiveKeys = []string{"whitelist-source-range", "denylist-source-range", "block-cidrs", keySetHeaders}

func (c *configReader) report(key, reason, format string, args ...any) {
	c.problems = append(c.problems, problemOf(reason, dataField(key), format, args...))
}

// dataField returns the field of a key, or "" for the whole ConfigMap.
func dataField(key string) string {
	if key == wholeConfigMap {
		return ""
	}
	return "data[" + key + "]"
}

// refuse reports that the protection of a key is not enforced, and closes the Ingresses of the scope unless the operator waives
// it.
func (c *configReader) refuse(scope closureScope, key, why string) {
	subject := "key " + quote(key)
	reason := ReasonProtectionNotEnforced
	if key == wholeConfigMap {
		subject, reason = c.ref.String(), ReasonConfigMapNotFound
	}
	if c.options.ServeUnprotected {
		c.report(key, reason,
			"%s %s: the Ingresses serve without it, because --unenforced-protection is serve", subject, why)
		return
	}
	if key != wholeConfigMap && slices.Contains(c.options.NginxUnenforced, key) {
		c.report(key, ReasonUnsupportedKey, "%s %s: the Ingresses serve without it, because --nginx-unenforced-keys lists it",
			subject, why)
		return
	}
	remedy := ""
	if key != wholeConfigMap {
		remedy = ". To serve unprotected, add it to --nginx-unenforced-keys"
	}
	c.report(key, reason, "%s %s: the routes of %s respond 503%s", subject, why, scope, remedy)
	if _, isRefused := c.refused[scope]; !isRefused {
		c.refused[scope] = refusedKey{key, why}
	}
}

// checkUnenforced reports the waivers without an effect.
func (c *configReader) checkUnenforced() {
	for _, key := range c.options.NginxUnenforced {
		if _, isSet := c.values[key]; !isSet {
			c.report(wholeConfigMap, ReasonNoEffect, "--nginx-unenforced-keys lists %s, which %s does not have", quote(key), c.ref)
		}
	}
}

// String returns the Ingresses of the scope.
func (s closureScope) String() string {
	const all = "Ingresses of classes of ingress-nginx"
	switch s {
	case closesAllow:
		return all + " without an allow list"
	case closesDeny:
		return all + " without a deny list"
	case closesAuth:
		return all + " that have no auth-url and do not set enable-global-auth to false"
	case closesAddresses:
		return all + " with a list of addresses"
	}
	return all
}

// closeBy closes the object if the ConfigMap has a key with that scope whose protection is not enforced. It reports whether it
// has.
func (r *annotationReader) closeBy(scope closureScope) bool {
	c := r.config()
	if c == nil {
		return false
	}
	refused, is := c.refused[scope]
	if !is {
		return false
	}
	subject := r.options.nginxConfigRef().String()
	if refused.key != wholeConfigMap {
		subject = fmt.Sprintf("key %s of %s", quote(refused.key), subject)
	}
	outcome := "the routes of the " + r.ref.Kind + " respond 503"
	if isCanary(r.annotations) {
		outcome = "the canary gets no requests"
	}
	r.problems[r.stage] = append(r.problems[r.stage],
		problemOf(ReasonProtectionNotEnforced, "", "%s %s: %s", subject, refused.why, outcome))
	r.closed = cmp.Or(r.closed, subject+" is not enforced")
	return true
}

// restricts reports whether the ConfigMap restricts access in any way. c may be nil.
func (c *nginxConfig) restricts() bool {
	return c != nil && (len(c.allow)+len(c.deny)+len(c.block)+len(c.refused) > 0 || c.auth != nil || c.setHeaders.Name != "")
}

// config returns what the ConfigMap of ingress-nginx configures for the object, or nil.
func (r *annotationReader) config() *nginxConfig {
	if !r.isNginx {
		return nil
	}
	return r.options.config
}
