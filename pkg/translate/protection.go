package translate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// AnnotationUnenforced lists protective annotations that the author waives, separated by commas. The routes serve without
// the protection if this version cannot enforce it.
const AnnotationUnenforced = annotationPrefix + "unenforced-protection"

// finding is the effect of one annotation of an Ingress.
type finding struct {
	key    string
	effect effect
	// isProtective is true if some values restrict access, so that the annotation may be waived.
	isProtective bool
	isHostWide   bool
	// meant is the protective name that a misspelled annotation may mean. It is empty if the annotation is known or not
	// protective.
	meant string
	// isHonoured is true if other code reads the annotation and reports its problems.
	isHonoured bool
}

// maxSpellings bounds the unknown annotations of one Ingress that are compared with the known ones. Further ones are treated
// as protective.
const maxSpellings = 128

// tooManyUnknown is finding.meant of annotations that are not compared.
const tooManyUnknown = "any of the annotations that restrict access"

// judge returns the effect of each annotation for Limpet or ingress-nginx, sorted by key.
func judge(annotations map[string]string) []finding {
	var out []finding
	unknown := 0
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		f := finding{key: key}
		if name, ok := strings.CutPrefix(key, nginxPrefix); ok {
			if v := nginxByName[name]; v != nil {
				out = append(out, v.apply(key, annotations))
				continue
			}
			f.meant = meantProtection(name, allNames, isProtectiveOwn, unknown)
		} else if name, ok := strings.CutPrefix(key, annotationPrefix); ok {
			if slices.Contains(annotationNames, key) {
				continue
			}
			f.meant = meantProtection(name, ownNames, isProtectiveOwn, unknown)
		} else if name, ok := cutMisspelledPrefix(key); ok {
			f.meant = meantProtection(name, allNames, isProtectiveOwn, unknown)
		} else {
			continue
		}
		unknown++
		if f.meant != "" {
			f.effect, f.isProtective = effectProtection, true
		}
		out = append(out, f)
	}
	return out
}

// cutMisspelledPrefix returns the name in a key whose prefix is at most two edits away from that of ingress-nginx or of
// Limpet. The API server accepts prefixes in upper case as well.
func cutMisspelledPrefix(key string) (name string, ok bool) {
	const mostEdits = 2
	prefix, name, _ := strings.Cut(key, "/")
	prefix = strings.ToLower(prefix) + "/"
	for _, known := range []string{nginxPrefix, annotationPrefix} {
		difference := len(prefix) - len(known)
		if -mostEdits <= difference && difference <= mostEdits && editDistance(prefix, known) <= mostEdits {
			return name, true
		}
	}
	return "", false
}

func (v *verdict) apply(key string, annotations map[string]string) finding {
	f := finding{key: key, isProtective: v.effect != nil, isHostWide: v.isHostWide, isHonoured: v.handling != Refused}
	if v.handling == Refused && v.isExact(&setValue{text: strings.TrimSpace(annotations[key]), annotations: annotations}) {
		f.effect = effectNone
	}
	if v.effect != nil && v.handling == Refused {
		f.effect = v.effect(strings.TrimSpace(annotations[key]), annotations)
	}
	return f
}

// protectiveOwn lists the limpet.dev annotations that restrict access, without their prefix.
var protectiveOwn = []string{
	strings.TrimPrefix(AnnotationClientCA, annotationPrefix),
	strings.TrimPrefix(AnnotationClientCertificate, annotationPrefix),
	strings.TrimPrefix(AnnotationBackendCA, annotationPrefix),
	nameAllowSourceRange, nameDenySourceRange, nameSatisfy,
	nameAuthURL, nameAuthMethod, nameAuthSignIn, nameAuthRedirectParam, nameAuthRequestRedirect, nameAuthResponseHeaders,
	nameAuthAlwaysSetCookie, nameAuthCacheKey, nameAuthCacheDuration, nameAuthRequestHeaders, nameAuthCA,
	nameAuthType, nameAuthSecret, nameAuthSecretType, nameAuthRealm,
}

// ownNames are the names that an unknown limpet.dev annotation is compared with: the limpet.dev annotations, and the
// protective ones of ingress-nginx, because an author may have used the wrong prefix.
var ownNames = nameOwn()

// allNames are the names that an unknown annotation of ingress-nginx, or one with a misspelled prefix, is compared with.
var allNames = slices.Concat(nginxNames, ownNames)

func nameOwn() []string {
	var names []string
	for _, key := range annotationNames {
		names = append(names, strings.TrimPrefix(key, annotationPrefix))
	}
	for _, name := range nginxNames {
		if isProtectiveNginx(name) {
			names = append(names, name)
		}
	}
	return names
}

func isProtectiveOwn(name string) bool {
	return slices.Contains(protectiveOwn, name) || isProtectiveNginx(name)
}

// protectiveWords make an unknown annotation protective even if no known name is near.
var protectiveWords = []string{
	"auth", "authentication", "authorization", "oauth", "oauth2", "jwt", "whitelist", "allowlist", "blacklist", "denylist",
	"blocklist", "allow", "deny", "satisfy", "modsecurity", "waf", "acl", "block", "cidr", "cidrs", "mtls", "restrict", "source",
}

// meantProtection returns the protective name that is nearest to an unknown one, or the protective word in it. It returns ""
// if the nearest name is not protective, or if no name is near. compared is the number of names of the same Ingress that
// were compared before.
func meantProtection(name string, known []string, isProtective func(string) bool, compared int) string {
	const longest = 64 // more than the API allows
	if compared >= maxSpellings || len(name) > longest {
		return tooManyUnknown
	}
	name = strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
	best, distance := nearestOf(name, known, isProtective)
	if best != "" && (isProtective(best) || distance <= 2) {
		if isProtective(best) {
			return best
		}
		return ""
	}
	for word := range strings.SplitSeq(name, "-") {
		if slices.Contains(protectiveWords, word) {
			return word
		}
	}
	return ""
}

// checkAnnotations reports the annotations that have no effect, and closes the object if one of them restricts access.
func (r *annotationReader) checkAnnotations() {
	findings := judge(r.annotations)
	waived := r.readWaivers(findings)
	if isCanary(r.annotations) {
		findings = r.takeInherited(findings, waived)
	}
	for i := range findings { // first, because the number of listed problems is bounded
		if f := &findings[i]; f.effect == effectProtection && !waived[f.key] {
			r.refuseUnenforced(f)
		}
	}
	for i := range findings {
		r.reportIgnored(&findings[i], waived[findings[i].key])
	}
	r.checkForeign()
}

// reportIgnored reports an annotation that has no effect, unless it protects and is not waived.
func (r *annotationReader) reportIgnored(f *finding, isWaived bool) {
	switch {
	case f.isHonoured, f.effect == effectNone:
	case f.effect == effectProtection:
		if isWaived {
			r.report(ReasonUnsupportedAnnotation, f.key,
				"annotation %s is not honoured by this version: the routes of the %s serve without it, because %s lists it",
				quote(f.key), r.ref.Kind, AnnotationUnenforced)
		}
	case r.closed != "" && strings.HasPrefix(f.key, nginxPrefix):
		r.report(ReasonUnsupportedAnnotation, f.key,
			"annotation %s is not honoured by this version", quote(f.key))
	case strings.HasPrefix(f.key, nginxPrefix):
		r.report(ReasonUnsupportedAnnotation, f.key,
			"annotation %s is not honoured by this version: the routes of the %s serve without it%s", quote(f.key), r.ref.Kind,
			equivalent(f.key))
	default:
		r.report(ReasonUnknownAnnotation, f.key,
			"annotation %s is unknown.%s The reference of annotations lists those that Limpet knows",
			quote(f.key), didYouMean(f.key, annotationNames))
	}
}

// equivalent completes a message with the annotation of Limpet that replaces one of ingress-nginx, if there is one.
func equivalent(key string) string {
	v := nginxByName[strings.TrimPrefix(key, nginxPrefix)]
	if v == nil || v.own == "" {
		return ""
	}
	return ". Use " + annotationPrefix + v.own + " instead"
}

// refuseUnenforced reports protection that is not enforced, and closes the object unless Options.ServeUnprotected is set.
func (r *annotationReader) refuseUnenforced(f *finding) {
	what := fmt.Sprintf("annotation %s requires protection that this version does not enforce", quote(f.key))
	switch f.meant {
	case "":
	case tooManyUnknown:
		what = fmt.Sprintf("annotation %s is unknown and may restrict access: there are too many unknown ones to compare it",
			quote(f.key))
	default:
		what = fmt.Sprintf("annotation %s is unknown and may restrict access: its name resembles %s", quote(f.key), f.meant)
	}
	r.refuse(f, what)
}

// refuse reports what a protective annotation lacks, and closes the object unless Options.ServeUnprotected is set.
func (r *annotationReader) refuse(f *finding, what string) {
	if r.options.ServeUnprotected {
		r.report(ReasonProtectionNotEnforced, f.key,
			"%s: the routes of the %s serve without it, because --unenforced-protection is serve", what, r.ref.Kind)
		return
	}
	outcome := "the routes of the " + r.ref.Kind + " respond 503"
	switch {
	case isCanary(r.annotations):
		outcome = "the canary gets no requests"
	case f.isHostWide:
		outcome += ", and so do those of other Ingresses of namespace " + r.namespace() + " for the same hosts"
	}
	if !f.isHonoured { // there is no waiver for an annotation that only needs a correction
		outcome += fmt.Sprintf(". To serve unprotected, set annotation %s: %s",
			AnnotationUnenforced, strconv.QuoteToASCII(strings.TrimPrefix(f.key, nginxPrefix)))
	}
	r.report(ReasonProtectionNotEnforced, f.key, "%s: %s", what, outcome)
	if r.closed == "" {
		r.closed = "annotation " + f.key + " is not enforced"
	}
	if f.isHostWide && !isCanary(r.annotations) {
		r.closesHosts = cmp.Or(r.closesHosts, f.key)
	}
}

// readWaivers returns the keys of the annotations that the author waives. An entry without a prefix is a name of
// ingress-nginx.
func (r *annotationReader) readWaivers(findings []finding) map[string]bool {
	text, isSet := r.annotations[AnnotationUnenforced]
	if !isSet {
		return nil
	}
	set := make(map[string]*finding, len(findings))
	for i := range findings {
		set[findings[i].key] = &findings[i]
	}
	waived := map[string]bool{}
	for entry := range strings.SplitSeq(text, ",") {
		entry = strings.TrimSpace(entry)
		key := entry
		if !strings.Contains(entry, "/") {
			key = nginxPrefix + entry
		}
		if problem := checkWaiver(key, set[key]); problem != "" {
			r.report(ReasonInvalidAnnotation, AnnotationUnenforced,
				"annotation %s names %s, which %s. That entry has no effect", AnnotationUnenforced, quote(entry), problem)
			continue
		}
		waived[key] = true
	}
	return waived
}

// checkWaiver returns the problem of a waiver, "" if it is valid. f is the waived annotation, nil if it is not set.
func checkWaiver(key string, f *finding) string {
	name := strings.TrimPrefix(key, nginxPrefix)
	switch {
	case f != nil && f.isHonoured && f.isProtective:
		return "this version enforces"
	case f != nil && f.isProtective:
		return ""
	case isProtectiveNginx(name):
		return "is not set on this Ingress"
	case f != nil || nginxByName[name] != nil:
		return "does not restrict access"
	}
	return "is not a protective annotation of ingress-nginx that this version knows"
}
