//go:build linux

package integration

// swanctlA and swanctlB are what is in the two folders of swanctl: that of the gateway whose answers are compared, and that of its peer,
// which is a strongSwan. Nothing that has a default is written unless it matters.
const (
	swanctlA = `
connections {
  gw {
    local_addrs = 198.18.0.1
    remote_addrs = 198.18.0.2
    proposals = aes256gcm16-prfsha384-ecp384
    encap = yes
    dpd_delay = 30s
    local {
      auth = psk
      id = a.example
    }
    remote {
      auth = psk
      id = b.example
    }
    children {
      net {
        local_ts = 10.10.0.0/24, fd10::/64
        remote_ts = 10.20.0.0/24, fd20::/64
        esp_proposals = aes256gcm16-ecp384
      }
      web {
        local_ts = 10.10.1.0/24[tcp]
        remote_ts = 10.20.1.0/24[tcp/http]
        esp_proposals = aes128-sha256-ecp384
        rekey_bytes = 500000000
        rekey_packets = 1000000
        dpd_action = trap
        close_action = start
      }
      refused {
        local_ts = 10.10.2.0/24
        remote_ts = 10.20.2.0/24
        esp_proposals = aes256gcm16-ecp384
      }
      unlike {
        local_ts = 10.10.3.0/24
        remote_ts = 10.20.3.0/24
        esp_proposals = aes192-sha384-ecp384
      }
    }
  }
  wrong {
    local_addrs = 198.18.0.1
    remote_addrs = 198.18.0.2
    proposals = aes256gcm16-prfsha384-ecp384
    encap = yes
    local {
      auth = psk
      id = wrong.a.example
    }
    remote {
      auth = psk
      id = wrong.b.example
    }
    children {
      wrong {
        local_ts = 10.10.4.0/24
        remote_ts = 10.20.4.0/24
      }
      twin {
        local_ts = 10.10.5.0/24
        remote_ts = 10.20.5.0/24
      }
    }
  }
  silent {
    local_addrs = 198.18.0.1
    remote_addrs = 198.18.0.99
    rekey_time = 0
    over_time = 10m
    reauth_time = 3h
    unique = replace
    ppk_id = ppk@example.org
    local {
      auth = psk
      id = silent.a.example
    }
    remote {
      auth = psk
      id = silent.b.example
    }
    children {
      silent {
        local_ts = 10.10.6.0/24
        remote_ts = 10.20.6.0/24
        rekey_time = 0
      }
      twin {
        local_ts = 10.10.7.0/24
        remote_ts = 10.20.7.0/24
      }
    }
  }
}
secrets {
  ike-gw {
    id-a = a.example
    id-b = b.example
    secret = "correct horse"
  }
  ike-wrong {
    id-a = wrong.a.example
    id-b = wrong.b.example
    secret = "one key"
  }
  ike-silent {
    id-a = silent.a.example
    id-b = silent.b.example
    secret = 0sc2lsZW50
  }
  ppk-silent {
    id = ppk@example.org
    secret = 0x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  }
}
`
	swanctlB = `
connections {
  gw {
    remote_addrs = 198.18.0.1
    proposals = aes256gcm16-prfsha384-ecp384
    encap = yes
    local {
      auth = psk
      id = b.example
    }
    remote {
      auth = psk
      id = a.example
    }
    children {
      net {
        local_ts = 10.20.0.0/24, fd20::/64
        remote_ts = 10.10.0.0/24, fd10::/64
        esp_proposals = aes256gcm16-ecp384
      }
      web {
        local_ts = 10.20.1.0/24[tcp/http]
        remote_ts = 10.10.1.0/24[tcp]
        esp_proposals = aes128-sha256-ecp384
      }
      unlike {
        local_ts = 10.20.3.0/24
        remote_ts = 10.10.3.0/24
        esp_proposals = aes256-sha512-ecp384
      }
    }
  }
  wrong {
    remote_addrs = 198.18.0.1
    proposals = aes256gcm16-prfsha384-ecp384
    encap = yes
    local {
      auth = psk
      id = wrong.b.example
    }
    remote {
      auth = psk
      id = wrong.a.example
    }
    children {
      wrong {
        local_ts = 10.20.4.0/24
        remote_ts = 10.10.4.0/24
      }
    }
  }
}
secrets {
  ike-gw {
    id-a = a.example
    id-b = b.example
    secret = "correct horse"
  }
  ike-wrong {
    id-a = wrong.a.example
    id-b = wrong.b.example
    secret = "another key"
  }
}
`
)
