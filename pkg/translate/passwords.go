package translate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/limpet-dev/limpet/pkg/htpasswd"
	"github.com/limpet-dev/limpet/pkg/model"
)

// KeyUsers is the key of the list of users in a Secret.
const KeyUsers = "auth"

const maxRealm = 256

// passwordSettings are the settings of an object for basic and digest authentication.
type passwordSettings struct {
	annotation string // the annotation that names the Secret
	secret     string // the name of the Secret
	isMap      bool   // each key of the Secret is a user
	isDigest   bool
	realm      string
}

// readPasswords reads the annotations about basic and digest authentication. It returns nil without them. Invalid ones close the
// object.
func (r *annotationReader) readPasswords() *passwordSettings {
	kind, secret := r.setting(nameAuthType, nameAuthType), r.setting(nameAuthSecret, nameAuthSecret)
	form, realm := r.setting(nameAuthSecretType, nameAuthSecretType), r.setting(nameAuthRealm, nameAuthRealm)
	switch {
	case kind.text == "" && secret.text == "":
		r.requirePasswords(form)
		r.requirePasswords(realm)
		return nil
	case secret.text == "":
		r.failProtection(kind, false, "requires annotation "+nameAuthSecret+" with the name of a Secret")
		return nil
	case kind.text == "" && secret.isNginx:
		r.failProtection(secret, false, "requires annotation "+nameAuthType+", which is basic or digest")
		return nil
	case kind.text != "" && kind.text != "basic" && kind.text != "digest":
		r.failProtection(kind, false, "has the value "+quote(kind.text)+"; it must be basic or digest")
		return nil
	case form.text != "" && form.text != "auth-file" && form.text != "auth-map":
		r.failProtection(form, false, "has the value "+quote(form.text)+"; it must be auth-file or auth-map")
		return nil
	}
	out := passwordSettings{
		annotation: secret.key, secret: secret.text, isMap: form.text == "auth-map", isDigest: kind.text == "digest", realm: realm.text,
	}
	if problem := out.cutNamespace(r.namespace()); problem != "" {
		r.failProtection(secret, false, problem)
		return nil
	}
	if problem := checkRealm(realm.text); problem != "" {
		r.failProtection(realm, false, problem)
		out.realm = ""
	}
	return &out
}

// requirePasswords closes the object because of an annotation that only refines authentication: its author may have misspelled
// the annotation that requires it.
func (r *annotationReader) requirePasswords(v value) {
	if v.text != "" {
		r.failProtection(v, false, "requires annotations "+nameAuthType+" and "+nameAuthSecret)
	}
}

// cutNamespace removes the namespace from the name of the Secret. It returns the problem with the name.
func (s *passwordSettings) cutNamespace(namespace string) (problem string) {
	if in, name, found := strings.Cut(s.secret, "/"); found {
		if in != namespace {
			return "names a Secret of another namespace"
		}
		s.secret = name
	}
	if s.secret == "" || strings.Contains(s.secret, "/") {
		return "has the value " + quote(s.secret) + ", which is not the name of a Secret"
	}
	return ""
}

func checkRealm(realm string) (problem string) {
	switch {
	case len(realm) > maxRealm:
		return fmt.Sprintf("has a value of more than %d bytes", maxRealm)
	case strings.ContainsFunc(realm, func(c rune) bool { return c < ' ' || c == 0x7f }):
		return "has a value with control characters"
	}
	return ""
}

// passwords reads the Secret with the users. It returns why the routes are closed if the Secret cannot be used.
func (b *builder) passwords(d *description, want *passwordSettings) (p *model.Passwords, problem string) {
	ref, key := b.refer(model.KindSecret, d.namespace(), want.secret)
	field := annotationField(want.annotation)
	secret := b.lookups.secret(key)
	if secret == nil {
		b.reports.add(d.ref, ReasonSecretNotFound, field,
			"%s does not exist: the routes of the %s respond 503 until it does", ref, d.ref.Kind)
		return nil, ref.String() + " does not exist"
	}
	file, problem := usersIn(secret, want.isMap)
	if problem == "" {
		problem = b.checkUsers(d, field, ref, file, want.isDigest)
	}
	if problem != "" {
		b.reports.add(d.ref, ReasonInvalidSecret, field,
			"%s: %s. The routes of the %s respond 503 until it is fixed", ref, problem, d.ref.Kind)
		return nil, ref.String() + " is invalid"
	}
	return &model.Passwords{Secret: ref, Realm: want.realm, Digest: want.isDigest, File: file}, ""
}

// usersIn returns the file of users in a Secret. With isMap, each key is a user, and its value is the hash.
func usersIn(secret *corev1.Secret, isMap bool) (file []byte, problem string) {
	if !isMap {
		file, found := secret.Data[KeyUsers]
		if !found {
			return nil, "it has no key " + KeyUsers
		}
		return file, ""
	}
	for _, user := range slices.Sorted(maps.Keys(secret.Data)) {
		file = fmt.Appendf(file, "%s:%s\n", user, secret.Data[user])
	}
	return file, ""
}

// maxListedUsers bounds the users that are named for one Secret.
const maxListedUsers = 8

// checkUsers names the users who cannot log in. It returns what makes the whole file invalid.
func (b *builder) checkUsers(d *description, field string, ref model.Ref, file []byte, isDigest bool) (problem string) {
	parse := htpasswd.Check
	if isDigest {
		parse = htpasswd.CheckDigest
	}
	count, problems, err := parse(file)
	if err != nil {
		return err.Error()
	}
	for i := range min(len(problems), maxListedUsers) {
		b.reports.add(d.ref, ReasonInvalidSecret, field,
			"%s: user %s %s. The user cannot log in", ref, quote(problems[i].User), problems[i].Text)
	}
	if more := len(problems) - maxListedUsers; more > 0 {
		b.reports.add(d.ref, ReasonInvalidSecret, field, "%s: %d more users cannot log in", ref, more)
	}
	if count == 0 {
		b.reports.add(d.ref, ReasonInvalidSecret, field, "%s: it has no users, so no client can log in", ref)
	}
	return ""
}
