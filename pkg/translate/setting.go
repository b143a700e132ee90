package translate

import (
	"strconv"
	"strings"
)

// value is the text of a setting, and the annotation that contains it.
type value struct {
	key   string
	text  string
	isSet bool
	// isNginx is true if the annotation is one of ingress-nginx. Its values have the syntax of ingress-nginx.
	isNginx bool
}

// setting returns the value of a setting that Limpet and ingress-nginx both have an annotation for. The names are without
// prefixes; an empty name means that there is no such annotation. The annotation of Limpet takes precedence: the other one is
// then reported.
func (r *annotationReader) setting(own, nginx string) value {
	ownValue, nginxValue := r.annotation(annotationPrefix, own), r.annotation(nginxPrefix, nginx)
	nginxValue.isNginx = true
	if !ownValue.isSet {
		return nginxValue
	}
	if nginxValue.isSet && nginxValue.text != ownValue.text {
		r.invalid(nginxValue.key, "annotation %s is ignored, because %s takes precedence", nginxValue.key, ownValue.key)
	}
	return ownValue
}

// annotation returns the value of the annotation with that name, without the spaces around it, as ingress-nginx reads it.
func (r *annotationReader) annotation(prefix, name string) value {
	if name == "" {
		return value{}
	}
	key := annotationKey(prefix, name)
	text, isSet := r.annotations[key]
	return value{key: key, text: strings.TrimSpace(text), isSet: isSet}
}

// The keys of known annotations by their names. Without them, reading the annotations that an Ingress does not have takes 100
// allocations.
var (
	ownKeyOf   = indexKeys(annotationPrefix, AnnotationNames())
	nginxKeyOf = indexKeys(nginxPrefix, verdictNames())
)

// indexKeys returns the keys of annotations by their names, which may have the prefix.
func indexKeys(prefix string, names []string) map[string]string {
	out := make(map[string]string, len(names))
	for _, name := range names {
		name = strings.TrimPrefix(name, prefix)
		out[name] = prefix + name
	}
	return out
}

// annotationKey returns prefix+name.
func annotationKey(prefix, name string) string {
	known := ownKeyOf
	if prefix == nginxPrefix {
		known = nginxKeyOf
	}
	if key := known[name]; key != "" {
		return key
	}
	return prefix + name
}

// readBool returns the value of a boolean setting, or the fallback if it is missing or invalid.
func (r *annotationReader) readBool(v value, fallback bool) bool {
	if on, isSet := r.parseBool(v); isSet {
		return on
	}
	return fallback
}

// parseBool parses a boolean setting as ingress-nginx does, which treats an empty value as missing. isSet is false if it is
// missing or invalid.
func (r *annotationReader) parseBool(v value) (on, isSet bool) {
	if v.text == "" {
		return false, false
	}
	on, err := strconv.ParseBool(v.text)
	if err != nil {
		r.invalidValue(v.key, `it must be "true" or "false"`)
	}
	return on, err == nil
}

// failProtection reports that an annotation requires protection that cannot be enforced, and closes the object unless
// Options.ServeUnprotected is set. why completes the sentence "annotation x ...". isHostWide closes the other routes of the
// namespace for the hosts too.
func (r *annotationReader) failProtection(v value, isHostWide bool, why string) {
	r.refuse(&finding{key: v.key, effect: effectProtection, isHonoured: true, isHostWide: isHostWide},
		"annotation "+quote(v.key)+" "+why)
}
