import { argv } from 'node:process';
import Srf from 'drachtio-srf';

// What Ringside is held against on a drachtio server: a proxy that does nothing else.
const [, , port, target] = argv;
const srf = new Srf();
srf.connect({ host: '127.0.0.1', port: Number(port), secret: 'cymru' });
srf.on('connect', () => console.log('ready'));
srf.on('error', (error) => console.log(error.message));
srf.invite((request) => srf.proxyRequest(request, target, { recordRoute: true }, () => {}));
