package translate

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
)

// ImplicitSetting is a setting that applies to Ingresses of a class of ingress-nginx without an annotation.
type ImplicitSetting struct {
	// Key is its key in the ConfigMap of ingress-nginx, which mostly is the name of the annotation as well.
	Key   string `json:"key"`
	Value string `json:"value"`
	// IsConfigured is true if the ConfigMap sets it. If it is false, it is a default.
	IsConfigured bool `json:"configured,omitempty"`
}

// Implicit knows the settings that apply without an annotation.
type Implicit struct {
	settings []ImplicitSetting
	classes  classes
	options  *Options
	verdicts []AnnotationVerdict
}

// ImplicitSettings returns what applies to the Ingresses of a Snapshot without an annotation.
func ImplicitSettings(w *Snapshot, o Options) *Implicit {
	configMap := index(w.ConfigMaps)[o.NginxConfigMap]
	o = o.withNginxConfig(configMap)
	out := &Implicit{classes: readClasses(w.IngressClasses, &o), options: &o}
	if o.Nginx == nil {
		return out
	}
	byKey := o.Nginx.texts()
	if configMap != nil && o.NginxConfigMap != (types.NamespacedName{}) {
		out.addKeys(byKey, configMap)
	}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		out.settings = append(out.settings, byKey[key])
	}
	return out
}

// addKeys adds the honoured keys of the ConfigMap, and the verdicts on the others.
func (m *Implicit) addKeys(byKey map[string]ImplicitSetting, configMap *corev1.ConfigMap) {
	invalid := map[string]bool{}
	for _, p := range m.options.config.problems {
		invalid[p.Field] = true
	}
	for _, key := range slices.Sorted(maps.Keys(configMap.Data)) {
		text, known := strings.TrimSpace(configMap.Data[key]), keysByName[key]
		if known == nil {
			continue // a problem
		}
		f := finding{effect: known.effectOf(text)}
		isWaived := slices.Contains(m.options.NginxUnenforced, key) || m.options.ServeUnprotected
		v := known.judgeValue(key, &setValue{text: text}, &f, isWaived)
		if v.Use = nil; v.Verdict != VerdictExact {
			m.verdicts = append(m.verdicts, v)
		}
		isHonoured := known.handling == Exact || known.handling == Differs
		if isHonoured && !invalid[dataField(key)] && !slices.Contains(hstsNames, key) {
			byKey[key] = ImplicitSetting{key, cmp.Or(byKey[key].Value, text), true}
		}
	}
}

// hstsNames are the keys that result in one setting.
var hstsNames = []string{"hsts", "hsts-max-age", "hsts-include-subdomains", "hsts-preload"}

// texts returns the settings that ingress-nginx has without a ConfigMap, with their values in its syntax.
func (d *NginxDefaults) texts() map[string]ImplicitSetting {
	seconds := func(t time.Duration) string { return strconv.Itoa(int(t / time.Second)) }
	body := strconv.FormatInt(d.MaxBodyBytes, 10)
	if d.MaxBodyBytes == model.NoBound {
		body = "0"
	}
	out := map[string]ImplicitSetting{}
	for key, value := range map[string]string{
		"ssl-redirect": strconv.FormatBool(d.SSLRedirect), "hsts": d.HSTS, "proxy-body-size": body,
		"proxy-connect-timeout": seconds(d.ConnectTimeout), "proxy-read-timeout": seconds(d.ReadTimeout),
		"proxy-send-timeout": seconds(d.SendTimeout), "proxy-next-upstream-tries": strconv.Itoa(d.MaxAttempts),
	} {
		if value != "" {
			out[key] = ImplicitSetting{Key: key, Value: value}
		}
	}
	return out
}

// Settings returns all settings, sorted by key. Callers must not modify them.
func (m *Implicit) Settings() []ImplicitSetting { return m.settings }

// KeyVerdicts returns the verdicts on the keys of the ConfigMap that are not exact, sorted by key.
func (m *Implicit) KeyVerdicts() []AnnotationVerdict { return m.verdicts }

// Applies reports whether settings apply to an Ingress at all.
func (m *Implicit) Applies(in *networkingv1.Ingress) bool {
	isServed, isNginx := m.classes.of(in)
	return isServed && isNginx && len(m.settings) > 0
}

// Of returns the settings that apply to an Ingress: those for which it has no annotation.
func (m *Implicit) Of(in *networkingv1.Ingress) []ImplicitSetting {
	if !m.Applies(in) {
		return nil
	}
	d := &description{ref: refOf(model.KindIngress, in), isNginx: true}
	r := &annotationReader{description: d, annotations: in.Annotations, options: m.options}
	usesDefaults := r.defaults() != nil
	var out []ImplicitSetting
	for _, s := range m.settings {
		if (usesDefaults || isProtectiveKey(s.Key)) && !r.overrides(s.Key) {
			out = append(out, s)
		}
	}
	return out
}

// overrides reports whether the object has an annotation instead of a key.
func (r *annotationReader) overrides(key string) bool {
	names := []value{r.annotation(nginxPrefix, key)}
	if v := nginxByName[key]; v != nil {
		names = append(names, r.annotation(annotationPrefix, v.own))
	}
	switch {
	case key == "hsts":
		names = append(names, r.annotation(annotationPrefix, "hsts"))
	case key == "whitelist-source-range":
		names = append(names, r.annotation(nginxPrefix, "allowlist-source-range"))
	case strings.HasPrefix(key, "global-auth-"):
		if r.annotation(nginxPrefix, "enable-global-auth").text == "false" {
			return true
		}
		names = append(names, r.annotation(nginxPrefix, nameAuthURL), r.annotation(annotationPrefix, nameAuthURL))
	}
	return slices.ContainsFunc(names, func(v value) bool { return v.isSet })
}
