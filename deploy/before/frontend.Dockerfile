# What the guide starts from: the build tools ship, and serve the files.
FROM node:18@sha256:e8a34f0e863652a5dbdab8e5501ffada3b2a6eef620efd2359c212a107187790
WORKDIR /app
COPY . .
RUN npm ci --no-audit --no-fund --no-update-notifier && npm run build
EXPOSE 8080
CMD ["npm", "start"]
