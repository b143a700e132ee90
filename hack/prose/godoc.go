package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

const maxTestName = 40

// checkDocs returns a finding for each doc comment that does not begin with the name of its declaration.
func checkDocs(name string, fset *token.FileSet, f *ast.File) []finding {
	var found []finding
	for _, d := range documented(f) {
		if !beginsWith(d.doc, d.names) {
			found = append(found, finding{
				file: name,
				line: fset.Position(d.doc.Pos()).Line,
				text: fmt.Sprintf("doc comment of %s: begin it with %q", d.names[0], d.names[0]),
			})
		}
	}
	return found
}

// declared is a declaration with a doc comment.
type declared struct {
	names []string
	doc   *ast.CommentGroup
}

func documented(f *ast.File) []declared {
	var all []declared
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if !isTest(d) {
				all = append(all, declared{[]string{d.Name.Name}, d.Doc})
			}
		case *ast.GenDecl:
			all = append(all, inGroup(d)...)
		}
	}
	return slices.DeleteFunc(all, func(d declared) bool { return d.doc == nil || len(d.names) == 0 })
}

// isTest reports whether d is a test. The comment of a test may begin with anything, such as the number of an issue.
func isTest(d *ast.FuncDecl) bool { return d.Recv == nil && strings.HasPrefix(d.Name.Name, "Test") }

// inGroup returns the declarations of d. The comment of a group may begin with anything, and so may the comment of an
// unexported constant or variable in one, which often heads several.
func inGroup(d *ast.GenDecl) []declared {
	var all []declared
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			doc := s.Doc
			if !d.Lparen.IsValid() {
				doc = d.Doc
			}
			all = append(all, declared{[]string{s.Name.Name}, doc})
		case *ast.ValueSpec:
			if !d.Lparen.IsValid() {
				all = append(all, declared{identifiers(s.Names), d.Doc})
			} else if s.Names[0].IsExported() {
				all = append(all, declared{identifiers(s.Names), s.Doc})
			}
		}
	}
	return all
}

func identifiers(idents []*ast.Ident) []string {
	var names []string
	for _, i := range idents {
		if i.Name != "_" {
			names = append(names, i.Name)
		}
	}
	return names
}

// beginsWith reports whether a comment begins with one of the names, after an article if there is one.
func beginsWith(doc *ast.CommentGroup, names []string) bool {
	words := strings.Fields(prose(doc))
	if len(words) == 0 || words[0] == "Deprecated:" {
		return true // for tools only
	}
	if len(words) > 1 && slices.Contains([]string{"A", "An", "The"}, words[0]) {
		words = words[1:]
	}
	return slices.ContainsFunc(names, func(n string) bool {
		rest, ok := strings.CutPrefix(words[0], n)
		return ok && (rest == "" || !isLetter(rest[0]))
	})
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= '0' && c <= '9' }

// prose returns a comment without the markers of controller-gen.
func prose(doc *ast.CommentGroup) string {
	var b strings.Builder
	for line := range strings.Lines(doc.Text()) {
		if !strings.HasPrefix(line, "+") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// checkTestNames returns a finding for each test whose name is too long.
func checkTestNames(name string, fset *token.FileSet, f *ast.File) []finding {
	var found []finding
	for _, decl := range f.Decls {
		d, ok := decl.(*ast.FuncDecl)
		if !ok || !isTest(d) {
			continue
		}
		if n := len(d.Name.Name) - len("Test"); n > maxTestName {
			found = append(found, finding{
				file: name,
				line: fset.Position(d.Pos()).Line,
				text: fmt.Sprintf("%s: the name has %d characters after Test, more than %d", d.Name.Name, n, maxTestName),
			})
		}
	}
	return found
}

// checkErrors returns a finding for each exported error variable of pkg/ whose text lacks the name of its package.
func checkErrors(name string, fset *token.FileSet, f *ast.File) []finding {
	if !strings.HasPrefix(name, "pkg/") {
		return nil
	}
	var found []finding
	for _, s := range variables(f) {
		for i, v := range s.Values {
			text, isError := errorText(v)
			if isError && s.Names[i].IsExported() && !strings.HasPrefix(text, f.Name.Name+": ") {
				found = append(found, finding{
					file: name,
					line: fset.Position(v.Pos()).Line,
					text: fmt.Sprintf("%s: begin its text with %q", s.Names[i].Name, f.Name.Name+": "),
				})
			}
		}
	}
	return found
}

// variables returns the package-level variable declarations.
func variables(f *ast.File) []*ast.ValueSpec {
	var all []*ast.ValueSpec
	for _, decl := range f.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
			for _, spec := range d.Specs {
				all = append(all, spec.(*ast.ValueSpec))
			}
		}
	}
	return all
}

// errorText returns the literal that is passed to errors.New or fmt.Errorf.
func errorText(v ast.Expr) (string, bool) {
	call, ok := v.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	pkg, ok := fun.X.(*ast.Ident)
	if !ok || pkg.Name+"."+fun.Sel.Name != "errors.New" && pkg.Name+"."+fun.Sel.Name != "fmt.Errorf" {
		return "", false
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}
