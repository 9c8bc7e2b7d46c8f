#Requires -Version 5.1
# The VPN fleet. Run it in PowerShell as the user of the VPN, as an administrator.
$ErrorActionPreference = 'Stop'
$name = 'fleet'
# The CA of the gateway's certificate.
$ca = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList @(,[System.Convert]::FromBase64String('MIIBpTCCAUugAwIBAgIRAM6tndruaLCe/nBxCJOhG84wCgYIKoZIzj0EAwIwIDEeMBwGA1UEAxMVRXNwbGFuYWRlIENBIGJiZTI2YWVkMB4XDTI2MTEzMDAwNDM1M1oXDTM2MTEyNzAxNDM1M1owIDEeMBwGA1UEAxMVRXNwbGFuYWRlIENBIGJiZTI2YWVkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE62zEDPHIjX16lovf4rcFqu4gy97Nw5UkLJLzyZup4eE3itcL7wf1SKHcl2sDGWLMfpF4DLtuyTo1ZMufDfXUa6NmMGQwDgYDVR0PAQH/BAQDAgEGMBIGA1UdEwEB/wQIMAYBAf8CAQAwHQYDVR0OBBYEFLviau1dlM78in1xFMhV30r1GrDLMB8GA1UdIwQYMBaAFLviau1dlM78in1xFMhV30r1GrDLMAoGCCqGSM49BAMCA0gAMEUCIQCyMOSVE/2jsCQWjepEJsQNqvWnKtcmsXhmIVbp+3+lywIgDZrmfXwH4SHpgZSAjlxsT+6iS2WL5UWrtNYRfQglqsU='))
$store = New-Object System.Security.Cryptography.X509Certificates.X509Store -ArgumentList 'Root', 'LocalMachine'
$store.Open('ReadWrite')
$store.Add($ca)
$store.Close()
# The user's certificate and key, from the bundle beside this script.
$password = Read-Host -AsSecureString -Prompt 'Password of alice@example.org.p12'
Import-PfxCertificate -FilePath (Join-Path $PSScriptRoot 'alice@example.org.p12') -CertStoreLocation 'Cert:\LocalMachine\My' -Password $password | Out-Null
if (Get-VpnConnection -Name $name -ErrorAction SilentlyContinue) { Remove-VpnConnection -Name $name -Force }
Add-VpnConnection -Name $name -ServerAddress 'vpn.example.org' -TunnelType Ikev2 -AuthenticationMethod MachineCertificate -EncryptionLevel Required -SplitTunneling -DnsSuffix 'example.org'
Set-VpnConnectionIPsecConfiguration -ConnectionName $name -DHGroup ECP384 -EncryptionMethod GCMAES256 -IntegrityCheckMethod SHA384 -CipherTransformConstants GCMAES256 -AuthenticationTransformConstants GCMAES256 -PfsGroup ECP384 -Force
Add-VpnConnectionRoute -ConnectionName $name -DestinationPrefix '10.1.0.0/16'
Add-VpnConnectionRoute -ConnectionName $name -DestinationPrefix 'fd00:1::/64'
warning: connections.fleet.remote.auth: the script reads the user's bundle as alice@example.org.p12, which belongs beside it
warning: connections.fleet.pools: Windows takes one domain from the script: example.org is written
