// step-ca as the suites run it: the server of Debian's package golang-github-smallstep-certificates-dev, and what has to be
// made for its configuration by its own code.
//
//	step-ca serve CONFIG            runs the CA of this configuration until it is told to end (SIGTERM, SIGINT)
//	step-ca provisioner PASSWORD    prints a new JWK provisioner's key, public and encrypted, as JSON
//	step-ca token KEY PASSWORD CLAIMS
//	                                signs these claims with an encrypted key, and prints the token
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/ca"
	_ "github.com/smallstep/certificates/cas/softcas"
	"go.step.sm/crypto/jose"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 2 && arguments[0] == "serve":
		return serve(arguments[1])
	case len(arguments) == 2 && arguments[0] == "provisioner":
		return provisioner([]byte(arguments[1]))
	case len(arguments) == 4 && arguments[0] == "token":
		return token([]byte(arguments[1]), []byte(arguments[2]), []byte(arguments[3]))
	default:
		return fmt.Errorf("usage: step-ca serve CONFIG | provisioner PASSWORD | token KEY PASSWORD CLAIMS")
	}
}

func serve(path string) error {
	settings, err := config.LoadConfiguration(path)
	if err != nil {
		return err
	}
	server, err := ca.New(settings, ca.WithConfigFile(path), ca.WithPassword(nil), ca.WithQuiet(true))
	if err != nil {
		return err
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		server.Stop()
	}()
	return server.Run()
}

func provisioner(password []byte) error {
	public, encrypted, err := jose.GenerateDefaultKeyPair(password)
	if err != nil {
		return err
	}
	compact, err := encrypted.CompactSerialize()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"key":          public,
		"encryptedKey": compact,
		"flattened":    json.RawMessage(encrypted.FullSerialize()),
	})
}

func token(encrypted, password, claims []byte) error {
	key, err := jose.Decrypt(encrypted, jose.WithPassword(password))
	if err != nil {
		return err
	}
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(key, &jwk); err != nil {
		return err
	}
	options := new(jose.SignerOptions).WithType("JWT").WithHeader("kid", jwk.KeyID)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(jwk.Algorithm), Key: jwk.Key}, options)
	if err != nil {
		return err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return err
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		return err
	}
	fmt.Println(compact)
	return nil
}
